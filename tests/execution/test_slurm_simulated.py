"""Hundreds of jobs on a SLURM that is only a table: the engine, submitit and the queue's format are the real ones.

What ten thousand cost is measured by `tests/benchmarks/clusters.py`.
"""

from collections import Counter

import pytest
from simulated_slurm import SimulatedSlurm, put_in_place

from ablate.execution import Job, Settings, execute
from ablate.execution.slurm.options import SlurmOptions

pytest.importorskip("submitit", reason="the extra `slurm` is not installed")
SETTINGS = Settings(engine="slurm", workers=30, options=SlurmOptions(poll_seconds=0.0001))
KEYS = [f"{number:08x}" for number in range(250)]


@pytest.mark.parametrize("requeues", [True, False], ids=["requeued by SLURM", "cancelled by the site"])
def test_each_job_is_done_once_whether_preempted_or_not(tmp_path, monkeypatch, requeues):
    done: Counter = Counter()
    cluster = SimulatedSlurm(
        30, 1.0, lambda key: int(key, 16) % 10 == 0, lambda key: done.update([key]), requeues, most_tasks=101
    )
    put_in_place(monkeypatch, cluster)
    jobs = [Job(key, {}) for key in KEYS]
    outcomes = list(execute(jobs, "execution_work:act", SETTINGS, logs=tmp_path / "logs"))
    assert Counter(outcome.key for outcome in outcomes) == done == Counter(KEYS)
    assert {outcome.state for outcome in outcomes} == {"done"}
    assert cluster.begun == Counter(KEYS) + Counter(KEYS[::10])
    assert cluster.order[:250] == KEYS
    assert sorted(cluster.order[250:]) == ([] if requeues else KEYS[::10])
    assert cluster.most_running <= 30
    assert [path.name for path in (tmp_path / "jobs").iterdir()] in ([], ["submit.lock"])


def test_a_queue_that_keeps_nothing_of_ended_jobs_loses_none(tmp_path, monkeypatch):
    """MinJobAge of a busy site: an ended task is gone from squeue before the next look."""
    cluster = SimulatedSlurm(30, 0.01, lambda key: False, lambda key: None)
    put_in_place(monkeypatch, cluster, step=10.0)
    outcomes = list(execute([Job(key, {}) for key in KEYS[:40]], "x:y", SETTINGS, logs=tmp_path / "logs"))
    assert [outcome.state for outcome in outcomes] == ["done"] * 40
    assert max(cluster.begun.values()) == 1
