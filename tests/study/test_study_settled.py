"""A study run until settled, through the flow: what is trained, what a kill changes (nothing), what is refused."""

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest
from tiny_study import PATCHES, TAIL, ablate, environment, plain, request_of, write_recipe

from ablate.analysis.study import analyse
from ablate.errors import AblateError
from ablate.result import Store
from ablate.study.flow import run_study
from ablate.study.running.watcher import Watcher

MORE = PATCHES + "  slow: {title: a lower learning rate, training: {learning_rate: 1.0e-5}}\n"


class Looks(Watcher):
    def __init__(self):
        self.bought = []

    def look(self, state, todo, ahead=()):
        self.bought.append((state.to_come.here, [job.label for job in todo]))


@pytest.fixture
def recipe(tmp_path):
    return write_recipe(tmp_path, patches=MORE, tail="glm: false\n" + TAIL)


def go(recipe, tmp_path, **options):
    looks = Looks()
    request = request_of(recipe, tmp_path / "results", **{"until": "settled", "worth": "20%", **options})
    return run_study(request, looks), looks


def analysis_of(end):
    return analyse(end.study.store.manifest(), end.study.store.records())


def test_seeds_are_bought_look_by_look_until_nothing_is_open(recipe, tmp_path):
    end, looks = go(recipe, tmp_path)
    analysis = analysis_of(end)
    assert looks.bought[0][0] == 3
    assert looks.bought[0][1][:3] == ["baseline seed 0", "fast seed 0", "slow seed 0"]
    assert end.trained == sum(len(labels) for _, labels in looks.bought) == analysis.runs_done
    assert analysis.settling.to_come is None
    again, more = go(recipe, tmp_path)
    assert (again.trained, more.bought) == (0, [])


@pytest.mark.slow
def test_a_budget_is_kept_and_a_larger_one_goes_on_to_the_same_end(recipe, tmp_path):
    whole, all_looks = go(recipe, tmp_path / "whole", worth="0.1%")
    part, looks = go(recipe, tmp_path / "part", worth="0.1%", budget="10")
    assert looks.bought == all_looks.bought[:1]
    assert part.beyond.to_come.here == 4
    assert part.trained == 9
    rest, _ = go(recipe, tmp_path / "part", worth="0.1%")
    assert plain(rest.study.store) == plain(whole.study.store)


def test_a_fixed_run_of_a_study_with_looks_is_refused_and_so_are_chosen_seeds(recipe, tmp_path):
    go(recipe, tmp_path, budget="9")
    with pytest.raises(AblateError, match="this study is run until settled"):
        run_study(request_of(recipe, tmp_path / "results"))
    with pytest.raises(AblateError, match="--seeds does not go with"):
        go(recipe, tmp_path, seeds="0-4")
    with pytest.raises(AblateError, match="--ahead needs `--until settled`"):
        go(recipe, tmp_path / "new", until=None, worth=None, ahead=1)
    with pytest.raises(AblateError, match="--budget lots is no budget"):
        go(recipe, tmp_path / "new", budget="lots")
    with pytest.raises(AblateError, match="--worth 2 is no share"):
        go(recipe, tmp_path / "new", worth="2")


@pytest.mark.slow
def test_a_study_with_fixed_seeds_goes_on_until_settled_with_the_runs_that_it_has(recipe, tmp_path):
    run_study(request_of(recipe, tmp_path / "results", seeds="0,1,2"))
    end, looks = go(recipe, tmp_path)
    assert all(here > 3 for here, _ in looks.bought)
    assert analysis_of(end).settling.look is not None


@pytest.mark.slow
def test_seeds_ahead_on_the_pool_change_no_verdict(recipe, tmp_path):
    plain, looks = go(recipe, tmp_path / "plain", worth="0.1%")
    early, rounds = go(recipe, tmp_path / "early", worth="0.1%", ahead=1, inline=False, workers=2)
    assert len(rounds.bought) < len(looks.bought)
    told = [
        [
            (row.name, row.verdict, row.gain and row.gain.seeds, row.gain and row.gain.mean)
            for row in analysis_of(end).rows
        ]
        for end in (plain, early)
    ]
    assert told[0] == told[1]


def family(pid):
    """A process and all that come from it."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8").split()
    except OSError:
        return []
    return [pid, *(other for child in children for other in family(int(child)))]


def training(store, pids):
    """Those of these processes that hold a run's lock."""
    held = set()
    for path in (store.root / "locks").glob("*.lock"):
        if path.name != "study.lock":  # held for a moment at each start, seconds before a worker is there
            with contextlib.suppress(OSError, ValueError, KeyError):
                held.add(json.loads(path.read_text(encoding="utf-8"))["pid"])
    return held.intersection(pids)


LONGER = "training: {steps: 40, batch_size: 2, warmup_steps: 1, evaluate_every: 20}\n"
"""Steps enough for a run to be most of what its process does: of six, kills met one in ten."""
WARM = """
import json, os, sys
import torch, ablate.report, ablate.study.flow  # seconds of every start
from ablate.cli.app import main
for line in sys.stdin:
    if not (pid := os.fork()):
        null = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(null, stream)
        sys.argv = ["ablate", *json.loads(line)]
        try:
            main()
        finally:
            os._exit(0)
    print(pid, flush=True)
    os.waitpid(pid, 0)
"""


@contextlib.contextmanager
def warm_starts():
    """Gives a function that starts the program and returns its process id: forked from one that has all imported."""
    process = subprocess.Popen(
        [sys.executable, "-c", WARM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment()
    )

    def start(words):
        process.stdin.write(json.dumps(words) + "\n")
        process.stdin.flush()
        return int(process.stdout.readline())

    with process:
        yield start
        process.stdin.close()


def killed_at_random(recipe, out, times, pace, *how):
    """Starts the program again and again, killed without warning while a run is under way, but for the last time:
    alone, so that its workers must notice, or with all of them. pace: seconds of a run. Also gives how many kills met a
    run that the program itself, or a worker, was training."""
    command = ["run", str(recipe), "--out", str(out), "--until", "settled", "--worth", "0.1%", "--device", "cpu", *how]
    generator, store, met = random.Random(1), Store(out / "tiny"), Counter()
    with warm_starts() as start:
        for _ in range(times):
            pid = start(command)
            after = generator.uniform(0.0, pace)  # past the first run, or within it
            begun = None
            while Path(f"/proc/{pid}").exists():
                hit = training(store, family(pid))
                begun = begun or (time.monotonic() if hit else None)
                if hit and time.monotonic() >= begun + after:
                    break
                time.sleep(0.005)
            time.sleep(generator.uniform(0.0, 0.2 * pace))
            alone, pids = generator.random() < 0.5, family(pid)
            hit = training(store, pids)
            met["program" if pid in hit else "worker" if hit else "none"] += 1
            for one in pids[:1] if alone else pids:
                with contextlib.suppress(ProcessLookupError):  # it ended by itself
                    os.kill(one, signal.SIGKILL)
            while Path(f"/proc/{pid}").exists():
                time.sleep(0.005)
    return ablate(*command, timeout=900), met


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds workers in /proc")
@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    ("how", "who"), [(("--inline",), "program"), (("--workers", "2"), "worker")], ids=["inline", "two workers"]
)
def test_a_study_killed_twenty_times_buys_the_same_seeds_and_ends_with_the_same_scores(tmp_path, how, who):
    recipe = write_recipe(tmp_path, patches=MORE, training=LONGER, tail="glm: false\n" + TAIL)
    begun = time.monotonic()
    whole, _ = go(recipe, tmp_path / "whole", worth="0.1%")
    pace = (time.monotonic() - begun) / whole.trained
    last, met = killed_at_random(recipe, tmp_path / "killed", 20, pace, *how)
    assert last.returncode == 0, last.stderr
    print(f"{' '.join(how)}: of 20 kills {dict(met)}")
    assert met[who] >= 10
    store = Store(tmp_path / "killed" / "tiny")
    assert plain(store) == plain(whole.study.store)
    before, after = analysis_of(whole), analyse(store.manifest(), store.records())
    assert [(row.name, row.verdict, row.verdict_note) for row in after.rows] == [
        (row.name, row.verdict, row.verdict_note) for row in before.rows
    ]
