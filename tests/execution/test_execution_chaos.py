"""A study whose runner, workers and fork server are killed at random ends as if nothing had happened."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ablate.result import Store
from ablate.result.store.clean import garbage, remove

HERE = Path(__file__).parent
ENVIRONMENT = {**os.environ, "PYTHONPATH": os.pathsep.join((str(HERE.parents[1]), str(HERE)))}


def start(root: Path, runs: int) -> subprocess.Popen:
    command = [sys.executable, str(HERE / "chaos_study.py"), str(root), str(runs)]
    return subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.DEVNULL)


def descendants(pid: int) -> list[int]:
    """A process and all that come from it."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [pid, *(other for child in children for other in descendants(int(child)))]


def contents(root: Path) -> dict[str, bytes]:
    files = (path for path in sorted((root / "runs").rglob("*")) if path.is_file())
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in files}


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds workers in /proc")
@pytest.mark.parametrize(("runs", "kills", "runners"), [(12, 6, 2), pytest.param(100, 50, 2, marks=pytest.mark.slow)])
def test_a_study_killed_at_random_ends_like_an_undisturbed_one(tmp_path, runs, kills, runners):
    undisturbed, disturbed = tmp_path / "undisturbed", tmp_path / "disturbed"
    for root in (undisturbed, disturbed):
        root.mkdir()
    assert start(undisturbed, runs).wait(120) == 0
    dice = random.Random(runners)
    processes = [start(disturbed, runs) for _ in range(runners)]
    for _ in range(kills):
        time.sleep(dice.uniform(0.1, 0.9))
        at = dice.randrange(runners)
        family = descendants(processes[at].pid)
        if family:
            with contextlib.suppress(ProcessLookupError):
                os.kill(dice.choice(family), signal.SIGKILL)
        if processes[at].poll() is not None:
            processes[at] = start(disturbed, runs)
    for process in processes:
        if process.wait(120) != 0:
            assert start(disturbed, runs).wait(120) == 0
    assert contents(disturbed) == contents(undisturbed)
    finished = (disturbed / "finished").read_text().split()
    assert len(finished) == len(set(finished))
    store = Store(disturbed)
    assert len(store.records()) == runs
    assert store.verify_hashes() == ()
    remove(store, garbage(store))
    assert {path.name for path in store.runs.iterdir()} == set(store.keys())
