"""A whole study killed at random ends as if nothing had happened; 50 kills by `tests/benchmarks/chaos.py`."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tiny_study import ROOT, environment


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds workers in /proc")
@pytest.mark.parametrize(("runs", "kills", "steps"), [(4, 3, 40), pytest.param(24, 12, 60, marks=pytest.mark.slow)])
def test_a_study_that_is_killed_again_and_again_gives_the_same_answer(tmp_path, runs, kills, steps):
    script = ROOT / "tests" / "benchmarks" / "chaos.py"
    command = [sys.executable, str(script), "--runs", str(runs), "--kills", str(kills), "--steps", str(steps)]
    told = subprocess.run(
        command, capture_output=True, text=True, env=environment(TMPDIR=str(tmp_path)), timeout=280, check=False
    )
    assert told.returncode == 0, told.stdout + told.stderr
    seen = json.loads(told.stdout)
    assert seen["differences"] == []
    assert seen["runs"] == seen["runs that came to their end once"] == runs
    assert seen["kills"] == kills
    assert set(seen["kills by whom they met"]) == {"runner", "fork server", "worker"}
    assert seen["runs that the kills cut short"] >= kills
    assert seen["left-over checkpoints"] == 0
