"""A study of hundreds on a Ray that is only a table: each run is trained once, whatever nodes are lost, and the command
holds none of what has ended. What ten thousand cost is measured by `tests/benchmarks/clusters.py`.
"""

from collections import Counter

import pytest
import simulated_ray
from planted_trainer import score
from simulated_ray import Table
from tiny_study import request_of, write_recipe

from ablate.execution import Outcome, Stop
from ablate.study.running.job import run_record
from ablate.study.running.missing import missing, train_missing
from ablate.study.running.watcher import Watcher
from ablate.study.setup.merge import keep_manifest
from ablate.study.study import study_of

TAIL = "variants: [each]\nseeds: [0]\nglm: false\nexecution: {engine: ray, workers: 30}\n"


@pytest.mark.slow
def test_a_study_of_hundreds_runs_each_once_although_nodes_are_lost_and_holds_no_logs(tmp_path, monkeypatch):
    done: Counter = Counter()

    def finish(key: str) -> None:
        done[key] += 1
        study.store.put(run_record(jobs[key], state="done", test=score(1.0)))

    table = Table(30, 1.0, lambda key: int(key, 16) % 10 == 0, finish)
    simulated_ray.put_in_place(monkeypatch, simulated_ray.here(table))
    request = request_of(write_recipe(tmp_path, tail=TAIL), tmp_path / "out", inline=False, seeds="0-99")
    study = keep_manifest(study_of(request), request)
    jobs = {job.key: job for job in study.jobs}
    again: list[str] = []

    class Losses(Watcher):
        def event(self, event) -> None:
            again.extend([event.key] if event.kind == "again" else [])

    outcomes: dict[str, Outcome] = {}
    train_missing(study, missing(study, request), request, Losses(), outcomes, Stop())
    lost = [key for key in jobs if int(key, 16) % 10 == 0]
    assert len(lost) > 5
    assert sorted(again) == sorted(lost)
    assert done == Counter(list(jobs)) == Counter(list(outcomes))
    assert table.begun == done + Counter(lost)
    assert table.most_running == 30
    assert {outcome.log_tail for outcome in outcomes.values()} == {""}
    assert missing(study, request) == ()
    assert list(study.store.tickets.glob("*")) == []
