"""One study on the pool and on SLURM gives the same: keys, records, curves and weights, bit for bit on a CPU."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import slurm_cluster
from tiny_study import BASELINE, ROOT, ablate, environment, plain, request_of, run_files, write_recipe

from ablate.execution.slurm.queue import ask
from ablate.result import Store
from ablate.study.flow import run_study
from ablate.study.running.watcher import Watcher
from ablate.study.status import status_of

pytest.importorskip("submitit", reason="the extra `slurm` is not installed")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(slurm_cluster.missing()), reason=slurm_cluster.missing() or "a cluster can be started"),
]
FILES = ("units.json", "history.jsonl", "weights.safetensors")
SECTION = "glm: false\nexecution: {engine: slurm, slurm: {poll_seconds: 1}}\n"
LONG = "training: {steps: 600, batch_size: 2, warmup_steps: 1, evaluate_every: 300, checkpoint_every: 20}\n"


@pytest.fixture(scope="module", autouse=True)
def _cluster(_own_cache):
    with slurm_cluster.cluster() as environment, pytest.MonkeyPatch.context() as patch:
        patch.setenv("SLURM_CONF", environment["SLURM_CONF"])
        patch.setenv("PYTHONPATH", str(ROOT))
        yield


def on_slurm(folder: Path, **sections: str) -> Path:
    """The recipe with the section that sends it to the cluster."""
    path = write_recipe(folder, **sections)
    path.write_text(path.read_text() + SECTION)
    return path


def agree(one: Store, other: Store) -> None:
    assert one.keys() == other.keys() != ()
    assert plain(one) == plain(other)
    assert run_files(one, *FILES) == run_files(other, *FILES)
    assert other.verify_hashes() == ()


def test_pool_and_slurm_give_the_same_records(tmp_path):
    recipe = on_slurm(tmp_path)
    pool = run_study(request_of(recipe, tmp_path / "pool", inline=False, engine="pool")).study.store
    end = run_study(request_of(recipe, tmp_path / "slurm", inline=False))
    assert (end.trained, end.failures, end.left) == (2, (), ())
    agree(pool, end.study.store)


def test_a_study_that_is_killed_and_cancelled_ends_like_an_undisturbed_one(tmp_path):
    """Its command is killed, its array goes on and is cancelled in the middle of a run; the same command ends it."""
    recipe = on_slurm(tmp_path, training=LONG)
    whole = run_study(request_of(recipe, tmp_path / "whole")).study.store
    words = ("run", recipe, "--out", tmp_path / "cut", "--device", "cpu", "--workers", 1)
    store = Store.of(tmp_path / "cut", "tiny")
    command = [sys.executable, "-m", "ablate", *map(str, words)]
    with subprocess.Popen(command, env=environment(), stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as first:
        wait_until(lambda: any(store.root.glob("checkpoints/*/step-*")))
        os.kill(first.pid, signal.SIGKILL)
    assert {run.state for run in status_of(store).runs} == {"running", "waiting"}
    stopped = ablate("stop", store.root)
    assert "2 jobs cancelled; what runs saves its place first" in stopped.stderr
    wait_until(lambda: not ask("squeue", "--noheader").strip())
    assert {run.state for run in status_of(store).runs} == {"to do"}
    again = ablate(*words, timeout=280)
    assert again.returncode == 0, again.stderr
    agree(whole, store)
    assert status_of(store).settled


class Heard(Watcher):
    """What became of the runs, as the command was told."""

    def __init__(self):
        self.events: list[str] = []

    def event(self, event) -> None:
        self.events.append(event.kind)


@pytest.mark.timeout(900)
def test_a_run_that_meets_its_time_limit_goes_on_in_a_new_job_and_ends_like_an_undisturbed_one(tmp_path, monkeypatch):
    """The least limit there is, a minute, and a run that takes more: .15 s a step. SLURM looks at limits every 30 s, so
    that the warning comes 20 to 50 s after the start.
    """
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    slow = "frontend: {type: import, target: 'misbehaving:Frontend', params: {does: dawdle}}"
    baseline = BASELINE.replace("frontend: {type: none}", slow)
    steps = "training: {steps: 400, batch_size: 2, warmup_steps: 1, evaluate_every: 200, checkpoint_every: 1000}\n"
    recipe = on_slurm(tmp_path, baseline=baseline, training=steps, patches="", tail="variants: []\nseeds: [0]\n")
    whole = run_study(request_of(recipe, tmp_path / "whole")).study.store
    monkeypatch.setenv("DAWDLE_SECONDS", "0.15")
    limit = ("execution.hours=0.016", "execution.slurm.signal_seconds=10")
    heard = Heard()
    end = run_study(request_of(recipe, tmp_path / "limited", inline=False, sets=limit), heard)
    assert (end.trained, end.failures, end.left, end.interrupted) == (1, (), (), False)
    assert heard.events[:3] == ["started", "again", "started"]
    assert heard.events.count("ended") == 1
    agree(whole, end.study.store)


def wait_until(condition, seconds: float = 120.0) -> None:
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.05)
