"""A study run until settled, through the flow: what is trained, what a kill changes (nothing), what is refused."""

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tiny_study import PATCHES, TAIL, ablate, environment, plain, request_of, write_recipe

from ablate.analysis import analyse
from ablate.errors import AblateError
from ablate.result import Store
from ablate.study.flow import run_study
from ablate.study.running.watcher import Watcher

MORE = PATCHES + "  slow: {title: a lower learning rate, training: {learning_rate: 1.0e-5}}\n"


class Looks(Watcher):
    def __init__(self):
        self.bought = []

    def look(self, state, todo):
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


def family(pid):
    """A process and all that come from it."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="utf-8").split()
    except OSError:
        return []
    return [pid, *(other for child in children for other in family(int(child)))]


def under_way(store, pids):
    """Whether one of these processes holds a run's lock."""
    for path in (store.root / "locks").glob("*.lock"):
        with contextlib.suppress(OSError, ValueError, KeyError):
            if json.loads(path.read_text(encoding="utf-8"))["pid"] in pids:
                return True
    return False


def killed_at_random(recipe, out, times, pace, *how):
    """Starts the program again and again, killed with all its workers and without warning while runs are under way, but
    for the last time. pace: seconds of a run. Also gives how many kills met a run."""
    command = ["run", str(recipe), "--out", str(out), "--until", "settled", "--worth", "0.1%", "--device", "cpu", *how]
    generator, store, met = random.Random(1), Store(out / "tiny"), 0
    for _ in range(times):
        process = subprocess.Popen(
            [sys.executable, "-m", "ablate", *command],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment(),
        )
        while process.poll() is None and not under_way(store, family(process.pid)):
            time.sleep(0.05)
        time.sleep(generator.uniform(0.0, 1.5 * pace))
        pids = family(process.pid)
        met += under_way(store, pids)
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):  # it ended by itself
                os.kill(pid, signal.SIGKILL)
        process.wait()
    return ablate(*command, timeout=900), met


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds workers in /proc")
@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("how", [("--inline",), ("--workers", "2")], ids=["inline", "two workers"])
def test_a_study_killed_twenty_times_buys_the_same_seeds_and_ends_with_the_same_scores(recipe, tmp_path, how):
    begun = time.monotonic()
    whole, _ = go(recipe, tmp_path / "whole", worth="0.1%")
    pace = (time.monotonic() - begun) / whole.trained
    last, met = killed_at_random(recipe, tmp_path / "killed", 20, pace, *how)
    assert last.returncode == 0, last.stderr
    assert met >= 10
    store = Store(tmp_path / "killed" / "tiny")
    assert plain(store) == plain(whole.study.store)
    before, after = analysis_of(whole), analyse(store.manifest(), store.records())
    assert [(row.name, row.verdict, row.verdict_note) for row in after.rows] == [
        (row.name, row.verdict, row.verdict_note) for row in before.rows
    ]
