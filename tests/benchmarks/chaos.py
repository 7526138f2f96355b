"""A study whose runner, workers and fork server are killed at random times until it is done: is the answer the same?

    python tests/benchmarks/chaos.py --runs 24 --kills 50

Trains a study of small runs undisturbed, then the same study with SIGKILLs, and compares: every run is there, none was
trained to its end twice, and weights, learning curves, per-unit scores and records (times apart) are byte-equal.
Leaves with 0 when all of that holds, and prints what it saw.
"""

import argparse
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2])]

from tiny_study import TRAINING, environment, plain, run_files, write_recipe  # noqa: E402

from ablate.result import Store  # noqa: E402

FILES = ("weights.safetensors", "history.jsonl", "units.json", "config.json")
STEPS = TRAINING.replace("steps: 6", "steps: 60").replace("}", ", checkpoint_every: 7}")
GIVE_UP = 3600.0


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--runs", type=int, default=24)
    options.add_argument("--kills", type=int, default=50)
    options.add_argument("--seed", type=int, default=0)
    told = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ.setdefault("ABLATE_CACHE", str(Path(folder) / "cache"))
        return compare(Path(folder), runs=told.runs, kills=told.kills, seed=told.seed)


def compare(folder: Path, *, runs: int, kills: int, seed: int) -> int:
    """Both studies, and what differs."""
    recipe = write_recipe(folder, training=STEPS)
    command = [sys.executable, "-m", "ablate", "run", str(recipe), "--device", "cpu", "--workers", "2"]
    command += ["--variants", "fast", "--seeds", f"0-{-(-runs // 2) - 1}", "--out"]
    started = time.monotonic()
    if start([*command, str(folder / "undisturbed")], folder).wait() != 0:
        print((folder / "log.txt").read_text()[-2000:])
        return 1
    undisturbed = time.monotonic() - started
    met, starts = disturb([*command, str(folder / "disturbed")], folder, kills=kills, seed=seed)
    first, second = Store(folder / "undisturbed" / "tiny"), Store(folder / "disturbed" / "tiny")
    faults = differences(first, second)
    left = [path.name for path in (second.root / "checkpoints").glob("*")]
    told = {
        "runs": len(second.keys()),
        "kills": sum(met.values()),
        "kills by whom they met": met,
        "starts of the runner": starts,
        "seconds undisturbed": round(undisturbed, 1),
        "seconds with kills": round(time.monotonic() - started - undisturbed, 1),
        "left-over checkpoints": len(left),
        "differences": faults,
    }
    print(json.dumps(told, indent=1))
    return 1 if faults or sum(met.values()) < kills else 0


def disturb(command: list[str], folder: Path, *, kills: int, seed: int) -> tuple[dict[str, int], int]:
    """Kills one process of the study's family at a time, starts the runner again when it is gone; then lets it finish.

    Gives the kills by whom they met, and how often the runner was started. A study that is done early ends the kills.
    """
    dice, starts = random.Random(seed), 1
    met = {"runner": 0, "fork server or worker": 0}
    process = start(command, folder)
    until = time.monotonic() + GIVE_UP
    while sum(met.values()) < kills and time.monotonic() < until:
        time.sleep(dice.uniform(0.05, 1.5))
        if process.poll() is not None:
            process, starts = start(command, folder), starts + 1
            if is_finished(command, folder):
                break
            continue
        family = descendants(process.pid)
        if len(family) < 3 and dice.random() < 0.98:  # no worker yet: most kills should meet a run under way
            continue
        # the runner itself one time in four: it takes all others with it, and its start is slow
        victim = process.pid if len(family) == 1 or dice.random() < 0.25 else dice.choice(family[1:])
        with contextlib.suppress(ProcessLookupError):
            os.kill(victim, signal.SIGKILL)
            met["runner" if victim == process.pid else "fork server or worker"] += 1
    while process.wait() != 0 and time.monotonic() < until:  # a worker that was killed twice is a failed run: again
        process, starts = start([*command, "--retry", "all"], folder), starts + 1
    return met, starts


def is_finished(command: list[str], folder: Path) -> bool:
    """Whether every run of the plan is done."""
    store = Store(folder / "disturbed" / "tiny")
    if not store.exists():
        return False
    planned = {key for entry in store.manifest().variants for key in entry.keys.values()}
    states = {key: record.state for key, record in store.scan().records.items()}
    return all(states.get(key) == "done" for key in planned)


def differences(first: Store, second: Store) -> list[str]:
    """What is not equal, by name."""
    one, other = run_files(first, *FILES), run_files(second, *FILES)
    told = [name for name in sorted({*one, *other}) if one.get(name) != other.get(name)]
    records, others = plain(first), plain(second)
    told += [f"{key}/record.json" for key in sorted({*records, *others}) if records.get(key) != others.get(key)]
    told += [f"{fault.key}: {fault.reason}" for fault in second.verify_hashes()]
    return told


def start(command: list[str], folder: Path) -> subprocess.Popen:
    with (folder / "log.txt").open("a") as log:
        return subprocess.Popen(command, env=environment(), stdout=log, stderr=log)


def descendants(pid: int) -> list[int]:
    """A process and all that come from it."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [pid, *(other for child in children for other in descendants(int(child)))]


if __name__ == "__main__":
    sys.exit(main())
