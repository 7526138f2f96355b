"""A whole study killed at random ends as if nothing had happened; 50 kills by `tests/benchmarks/chaos.py`."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tiny_study import ROOT, environment


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds workers in /proc")
@pytest.mark.parametrize(
    ("runs", "kills"), [pytest.param(6, 3, marks=pytest.mark.slow), pytest.param(24, 12, marks=pytest.mark.slow)]
)
def test_a_study_that_is_killed_again_and_again_gives_the_same_answer(tmp_path, runs, kills):
    script = ROOT / "tests" / "benchmarks" / "chaos.py"
    command = [sys.executable, str(script), "--runs", str(runs), "--kills", str(kills)]
    env = environment(ABLATE_CACHE=str(tmp_path / "cache"), TMPDIR=str(tmp_path))
    told = subprocess.run(command, capture_output=True, text=True, env=env, timeout=280, check=False)
    assert told.returncode == 0, told.stdout + told.stderr
    seen = json.loads(told.stdout)
    assert seen["differences"] == []
    assert seen["runs"] >= runs
    assert seen["kills"] == kills
