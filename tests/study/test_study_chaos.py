"""A whole study killed at random ends as if nothing had happened; 50 kills by `tests/benchmarks/chaos.py`."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import forked
import pytest
from tiny_study import ROOT, ablate, environment, plain, run_files, write_recipe

from ablate.result import Store

TRAINING = "training: {steps: 20, batch_size: 8, warmup_steps: 1, evaluate_every: 20, checkpoint_every: 4}\n"
FILES = ("weights.safetensors", "history.jsonl", "units.json", "config.json", "recipe.yaml")


def begun(store: Store) -> bool:
    return any((store.root / "locks").glob("*.lock"))


def kept(store: Store) -> bool:
    return any((store.root / "checkpoints").glob("*/step-*.safetensors"))


def half_done(store: Store) -> bool:
    under_way = {path.parent.name for path in (store.root / "checkpoints").glob("*/step-*.safetensors")}
    return bool(under_way and (done := set(store.keys())) and under_way - done)


@pytest.mark.skipif(not forked.POSSIBLE, reason="forks the program")
def test_a_study_whose_runner_is_killed_while_it_trains_gives_the_same_answer(tmp_path):
    recipe = write_recipe(tmp_path, training=TRAINING)
    words = ["run", recipe, "--variants", "fast", "--seeds", "0-1", "--device", "cpu", "--inline", "--out"]
    assert ablate(*words, tmp_path / "undisturbed").returncode == 0
    undisturbed, store = Store(tmp_path / "undisturbed" / "tiny"), Store(tmp_path / "killed" / "tiny")
    command = [str(word) for word in (*words, tmp_path / "killed")]
    for moment in (begun, kept, half_done):
        with open(os.devnull, "r+") as nothing:
            pid = forked.fork(command, dict.fromkeys(range(3), nothing.fileno()), environment=environment())
        until = time.monotonic() + 100
        while not moment(store) and time.monotonic() < until:
            time.sleep(0.01)
        os.kill(pid, signal.SIGKILL)
        assert forked.wait(pid) == -signal.SIGKILL
        assert moment(store)
    told = ablate(*words, tmp_path / "killed")
    assert told.returncode == 0, told.stderr
    assert plain(store) == plain(undisturbed)
    assert run_files(store, *FILES) == run_files(undisturbed, *FILES)
    assert store.verify_hashes() == ()


@pytest.mark.slow
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds workers in /proc")
@pytest.mark.parametrize(("runs", "kills", "steps"), [(4, 3, 40), (24, 12, 60)])
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
