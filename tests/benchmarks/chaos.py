"""A study whose runner, workers and fork server are killed at random times until it is done: is the answer the same?

    python tests/benchmarks/chaos.py --runs 24 --kills 50 [--keep]

Trains a study of small runs undisturbed in one process, then the same study by the pool under SIGKILLs, and compares:
every run is there, none came to its end twice, and weights, learning curves, per-unit scores and records (times apart)
are byte-equal. Every kill waits until runs are under way. Leaves with 0 when all of that holds, and prints what it saw.
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
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[1]), str(Path(__file__).parents[2])]

from kept import Sheet, ask_to_keep, measuring  # noqa: E402
from tiny_study import TRAINING, environment, plain, run_files, write_recipe  # noqa: E402

from ablate.errors import AblateError  # noqa: E402
from ablate.result import Store  # noqa: E402

FILES = ("weights.safetensors", "history.jsonl", "units.json", "config.json", "recipe.yaml")
VICTIMS = ("worker", "fork server", "runner", "worker")
"""In these shares, in random order. A runner takes all others with it, and its start is slow."""
DELAY = 0.7
"""Seconds, at most, between a run's beginning to train and the next kill: a run takes about two."""
GIVE_UP = 1800.0


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--runs", type=int, default=24)
    options.add_argument("--kills", type=int, default=50)
    options.add_argument("--steps", type=int, default=100, help="of every run")
    options.add_argument("--seed", type=int, default=0)
    ask_to_keep(options)
    told = options.parse_args()
    with measuring("chaos", keep=told.keep) as sheet, tempfile.TemporaryDirectory() as folder:
        os.environ.setdefault("ABLATE_CACHE", str(Path(folder) / "cache"))
        return compare(Path(folder), sheet, runs=told.runs, kills=told.kills, steps=told.steps, seed=told.seed)


def compare(folder: Path, sheet: Sheet, *, runs: int, kills: int, steps: int, seed: int) -> int:
    """Both studies, and what differs."""
    training = f"steps: {steps}, batch_size: 2, warmup_steps: 1, evaluate_every: 20, checkpoint_every: 7"
    assert "steps: 6" in TRAINING  # the shared recipe's line, here with other numbers
    recipe = write_recipe(folder, training=f"training: {{{training}}}\n")
    command = [sys.executable, "-m", "ablate", "run", str(recipe), "--device", "cpu", "--threads", "1"]
    command += ["--variants", "fast", "--seeds", f"0-{-(-runs // 2) - 1}", "--out"]
    first, second = Store(folder / "undisturbed" / "tiny"), Store(folder / "disturbed" / "tiny")

    started = time.monotonic()
    if start([*command, str(folder / "undisturbed"), "--inline"], folder).wait() != 0:
        print((folder / "log.txt").read_text()[-2000:])
        return 1
    undisturbed = time.monotonic() - started
    with Ends(second) as ends:
        met = Disturbance([*command, str(folder / "disturbed"), "--workers", "2"], folder, second, seed).kill(kills)
    faults = differences(first, second)
    faults += [f"{key}: came to its end {times} times" for key, times in ends.times().items() if times != 1]
    sheet.figures = {
        "runs": len(second.keys()),
        "runs that came to their end once": sum(times == 1 for times in ends.times().values()),
        "kills": sum(met.kills.values()),
        "kills by whom they met": dict(sorted(met.kills.items())),
        "runs that the kills cut short": met.cut_short,
        "starts of the runner": met.starts,
        "starts that ended with failed runs to retry": met.with_failures,
        "seconds undisturbed": round(undisturbed, 1),
        "seconds with kills": round(time.monotonic() - started - undisturbed, 1),
        "left-over checkpoints": len(list((second.root / "checkpoints").glob("*"))),
        "differences": faults,
    }
    sheet.say(json.dumps(sheet.figures, indent=1))
    return 1 if faults or sum(met.kills.values()) < kills else 0


@dataclass
class Met:
    """What the kills met. cut_short: runs under way that died by them. starts: of the runner."""

    kills: Counter[str] = field(default_factory=Counter)
    cut_short: int = 0
    starts: int = 0
    with_failures: int = 0


class Disturbance:
    """Kills one process of a study's family at a time, and starts the runner again whenever it is gone."""

    def __init__(self, command: list[str], folder: Path, store: Store, seed: int):
        self._command, self._folder, self._store = command, folder, store
        self._dice = random.Random(seed)
        self._met = Met()
        self._until = time.monotonic() + GIVE_UP
        self._process = self._start()

    def kill(self, kills: int) -> Met:
        """All kills, then lets the study finish. A study that is done early ends the kills."""
        victims = [VICTIMS[index % len(VICTIMS)] for index in range(kills)]
        self._dice.shuffle(victims)
        for victim in victims:
            if not self._wait_for_workers():
                break
            time.sleep(self._dice.uniform(0, DELAY))
            self._kill_one(victim)
        while not self._has_finished():
            time.sleep(0.05)
        return self._met

    def _start(self) -> subprocess.Popen:
        """A worker that was killed twice is a failed run, hence `--retry`."""
        self._met.starts += 1
        return start([*self._command, "--retry", "all"] if self._met.starts > 1 else self._command, self._folder)

    def _has_finished(self) -> bool:
        """Whether the study is done; starts the runner again when it is gone before that."""
        if time.monotonic() > self._until:
            self._process.kill()
            raise TimeoutError((self._folder / "log.txt").read_text()[-2000:])
        code = self._process.poll()
        if code == 0:
            return True
        if code is not None:
            self._met.with_failures += code == 1
            self._process = self._start()
        return False

    def _wait_for_workers(self) -> bool:
        """Until a run is under way; False when the study is done."""
        while not self._has_finished():
            if self._under_way(workers_of(self._process.pid)[1]):
                return True
            time.sleep(0.02)
        return False

    def _under_way(self, workers: list[int]) -> list[int]:
        """The workers that hold the lock of a run."""
        holders = set()
        for path in (self._store.root / "locks").glob("*.lock"):
            with contextlib.suppress(OSError, ValueError, KeyError):
                holders.add(json.loads(path.read_text())["pid"])
        return [worker for worker in workers if worker in holders]

    def _kill_one(self, victim: str) -> None:
        server, workers = workers_of(self._process.pid)
        workers = self._under_way(workers)
        if not workers:  # ended meanwhile
            if self._wait_for_workers():
                self._kill_one(victim)
            return
        pid = {"runner": self._process.pid, "fork server": server, "worker": self._dice.choice(workers)}[victim]
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
            self._met.kills[victim] += 1
            self._met.cut_short += 1 if victim == "worker" else len(workers)
        if victim == "runner":
            self._process.wait()


class Ends:
    """Looks at the runs' records some fifty times a second: every one that says `done` is a run that came to its end.

    A record is written anew and renamed into place, so another file is another end; a run takes a second and more.
    """

    def __init__(self, store: Store):
        self._store = store
        self._seen: dict[str, set[tuple[int, int]]] = {}
        self._left = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def times(self) -> dict[str, int]:
        """How often each run came to its end."""
        return {key: len(files) for key, files in self._seen.items()}

    def _look(self) -> None:
        others: set[tuple[int, int]] = set()
        while not self._left.wait(0.02):
            keys = self._store.keys()
            for key in keys:
                try:
                    facts = (self._store.folder(key) / "record.json").stat()
                    file = (facts.st_ino, facts.st_mtime_ns)
                    if file in others or file in self._seen.get(key, ()):
                        continue
                    state = self._store.record(key).state
                except (OSError, AblateError):  # just being replaced
                    continue
                (self._seen.setdefault(key, set()) if state == "done" else others).add(file)

    def __enter__(self) -> "Ends":
        self._thread.start()
        return self

    def __exit__(self, *raised: object) -> None:
        time.sleep(0.1)
        self._left.set()
        self._thread.join()


def differences(first: Store, second: Store) -> list[str]:
    """What is not equal, by name."""
    one, other = run_files(first, *FILES), run_files(second, *FILES)
    told = [name for name in sorted({*one, *other}) if one.get(name) != other.get(name)]
    records, others = plain(first), plain(second)
    told += [f"{key}/record.json" for key in sorted({*records, *others}) if records.get(key) != others.get(key)]
    told += [f"{key}: {record['state']}" for key, record in others.items() if record["state"] != "done"]
    told += [f"{fault.key}: {fault.reason}" for fault in second.verify_hashes()]
    return told


def start(command: list[str], folder: Path) -> subprocess.Popen:
    with (folder / "log.txt").open("a") as log:
        return subprocess.Popen(command, env=environment(), stdout=log, stderr=log)


def workers_of(runner: int) -> tuple[int, list[int]]:
    """The fork server of a runner (0 when there is none) and its workers."""
    for child in children(runner):
        with contextlib.suppress(OSError):
            if b"ablate.execution.server" in Path(f"/proc/{child}/cmdline").read_bytes():
                return child, children(child)
    return 0, []


def children(pid: int) -> list[int]:
    try:
        return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []


if __name__ == "__main__":
    sys.exit(main())
