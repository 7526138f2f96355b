"""`ablate status`: every run's place, from its record, its lock, its cluster's queue and its progress."""

import json

import pytest
import torch
from tiny_study import ablate, request_of, write_recipe

from ablate.cli.command.status import status_of_studies
from ablate.cli.command.stop import stop_studies
from ablate.cli.screen.live import status as screen
from ablate.errors import AblateError
from ablate.execution.engine import ENGINES, Entry, Local, Place
from ablate.execution.job import hold_share
from ablate.result.progress import RunProgress, curve_path, progress_path
from ablate.study.flow import run_study
from ablate.study.running.job import device_facts, run_record
from ablate.study.running.progress import ProgressFile
from ablate.study.status import status_of
from ablate.study.study import study_of


class Queue(Local):
    """A cluster whose queue is what a test says."""

    places: dict[str, Place] = {}
    silent = ""

    def under_way(self, tickets):
        if self.silent:
            raise AblateError(self.silent, where="queue")
        return self.places

    def cancel(self, tickets):
        return len(self.places)


@pytest.fixture
def queue(monkeypatch):
    monkeypatch.setitem(ENGINES, "queue", Entry(f"{__name__}:Queue", remote=True))
    monkeypatch.setattr(Queue, "places", {})
    monkeypatch.setattr(Queue, "silent", "")
    return Queue


@pytest.fixture
def study(tmp_path):
    """Planned, nothing of it trained."""
    study = study_of(request_of(write_recipe(tmp_path), tmp_path / "out"))
    study.store.write_manifest(study.manifest)
    return study


def runs_of(study) -> dict:
    return {run.variant: run for run in status_of(study.store).runs}


def test_a_study_that_nobody_has_begun_is_to_do(study, capsys):
    assert {run.state for run in runs_of(study).values()} == {"to do"}
    assert status_of_studies(study.store.root) == screen.TO_COME
    assert capsys.readouterr().out.startswith("tiny: 3 runs: 3 to do; 0.00 CPU hours so far\n")


def test_a_run_is_where_its_lock_its_queue_or_its_record_say(study, queue, capsys):
    job = {job.variant: job for job in study.jobs}
    queue.places = {
        job["fast"].key: Place("waiting", "job 7_1", since="2026-01-01T00:00:00", why="Priority"),
        job["glm"].key: Place("failed", why="a bug"),
    }
    progress = RunProgress("baseline", 0, 3, 6, 0.1, 0.25, 1800.0, "2026-01-01T00:00:00+00:00", "node7", threads=2)
    study.store.logs.mkdir()
    progress_path(study.store, job["baseline"].key).write_text(json.dumps(vars(progress)))
    with study.store.lock_run(job["baseline"].key):
        runs = runs_of(study)
    baseline = runs["baseline"]
    assert (baseline.state, baseline.step, baseline.steps, baseline.score) == ("running", 3, 6, 0.25)
    assert baseline.since == "2026-01-01T00:00:00+00:00"
    assert baseline.cpu_hours >= 1.0  # two threads for half an hour, and the hours since
    assert (runs["fast"].state, runs["fast"].where, runs["fast"].why) == ("waiting", "job 7_1", "Priority")
    assert (runs["glm"].state, runs["glm"].why) == ("failed", "a bug")
    stopped = runs_of(study)["baseline"]  # its process is dead
    assert (stopped.state, stopped.step, stopped.cpu_hours) == ("to do", 3, 0.0)
    study.store.put(run_record(job["fast"], state="failed", reason="out of memory"))
    queue.places = {}
    assert (runs_of(study)["fast"].state, runs_of(study)["fast"].why) == ("failed", "out of memory")
    assert status_of_studies(study.store.root) == screen.TO_COME
    assert "out of memory" in capsys.readouterr().out


def test_a_run_that_is_done_does_not_run_although_its_job_has_not_left_the_queue(study, queue):
    job = study.jobs[0]
    study.store.put(run_record(job, state="done"))
    queue.places = {job.key: Place("running", "job 7", "node3")}
    assert runs_of(study)[job.variant].state == "done"
    with study.store.lock_run(job.key):  # but one that is trained once more does
        assert runs_of(study)[job.variant].state == "running"


def test_a_queue_that_cannot_be_asked_is_named_and_the_files_still_speak(study, queue, capsys):
    queue.silent = "there is no `squeue` here"
    assert status_of_studies(study.store.root) == screen.TO_COME
    said = capsys.readouterr()
    assert "3 to do" in said.out
    assert "not asked: queue: there is no `squeue` here" in said.err


def test_stop_says_how_many_jobs_it_cancelled(study, queue, capsys):
    queue.places = {"aa": Place("running"), "bb": Place("waiting")}
    assert stop_studies(study.store.root) == 0
    queue.places = {}
    assert stop_studies(study.store.root) == 0
    first, second = capsys.readouterr().err.splitlines()
    assert first.endswith("2 jobs cancelled; what runs saves its place first")
    assert second.endswith("nothing waits or runs on a cluster (a command on this machine is stopped by Ctrl-C)")


def test_a_watch_says_what_changes_and_ends_with_the_study(study, queue, monkeypatch, capsys):
    jobs = list(study.jobs)
    queue.places = {jobs[0].key: Place("waiting", "job 7", why="Resources")}

    def between(seconds: float) -> None:
        """Between the first two looks a job begins; then all come to an end."""
        if queue.places[jobs[0].key].state == "waiting":
            queue.places[jobs[0].key] = Place("running", "job 7", "node3")
            return
        queue.places = {}
        for job in jobs:
            study.store.put(run_record(job, state="failed", reason="a bug"))

    monkeypatch.setattr(screen, "sleep", between)
    assert status_of_studies(study.store.root, watch=True) == screen.NO_SCORE
    said = capsys.readouterr()
    assert said.err.splitlines()[0] == f"{jobs[0].variant} seed 0: running, on node3, job 7"
    assert f"{jobs[0].variant} seed 0: failed, a bug" in said.err.splitlines()
    assert "3 runs: 3 failed" in said.out


def test_a_finished_study_is_settled_and_its_cost_is_what_its_runs_measured(tmp_path):
    end = run_study(request_of(write_recipe(tmp_path), tmp_path / "out"))
    told = ablate("status", end.study.store.root, "--format", "json")
    assert told.returncode == 0, told.stderr
    document = json.loads(told.stdout)
    (study,) = document["studies"]
    assert (document["exit_code"], study["settled"], study["counts"]) == (0, True, {"done": 3})
    measured = sum(record.usage.cpu_seconds for record in end.study.store.records()) / 3600
    assert study["cpu_hours"] == pytest.approx(measured)
    assert study["gpu_hours"] == 0
    record = end.study.store.records()[0]
    on_gpu = record.environment | {"device": {"type": "cuda"}}
    store = end.study.store
    store.put(record.model_copy(update={"environment": on_gpu}), replace=True)
    assert status_of(store).gpu_hours == pytest.approx(record.usage.seconds / 3600)
    shared = record.environment | {"device": {"type": "cuda", "share": 0.25}}
    store.put(record.model_copy(update={"environment": shared}), replace=True)
    assert status_of(store).gpu_hours == pytest.approx(record.usage.seconds / 4 / 3600)
    told = next(run for run in status_of(store).runs if run.key == record.key)
    assert (told.gpus, screen.cells(told)[3]) == (0.25, "0.25 of a GPU")


def test_a_run_on_a_part_of_a_gpu_tells_its_share_and_costs_that_part_of_its_hours(study, queue, monkeypatch, capsys):
    job = study.jobs[0]
    queue.places = {job.key: Place("running", "job 7", "node3")}
    monkeypatch.setenv("ABLATE_GPU_SHARE", "")  # so that it is gone after the test
    hold_share(0.14)
    begun = ProgressFile(
        progress_path(study.store, job.key),
        curve_path(study.store, job.key),
        variant=job.variant,
        seed=job.seed,
        steps=6,
        device=torch.device("cuda"),
    )
    facts = device_facts(job, torch.device("cuda"), threads=1)
    assert facts["share"] == 0.14
    assert "share" not in device_facts(job, torch.device("cpu"), threads=1)
    path = progress_path(study.store, job.key)
    path.write_text(json.dumps(json.loads(path.read_text()) | {"seconds": 36_000}))
    run = runs_of(study)[job.variant]
    assert (run.gpus, run.gpu_hours) == (0.14, pytest.approx(1.4, rel=0.01))
    assert status_of_studies(study.store.root) == screen.TO_COME
    assert "node3, job 7, 0.14 of a GPU" in capsys.readouterr().out
    begun.close()
