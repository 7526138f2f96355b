"""Where a study is executed is no part of what it is: the same keys, whatever `execution:` and `--engine` say."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
from tiny_study import DATA, TAIL, request_of, write_recipe

from ablate.data.recording import Recording, write_recording
from ablate.errors import AblateError
from ablate.execution import Job
from ablate.execution.attempt import attempt
from ablate.execution.job import DeviceUse, Misplaced
from ablate.request import Request, request_hash
from ablate.study.flow import run_study
from ablate.study.running import missing
from ablate.study.running.home import StudyHome
from ablate.study.running.missing import known_uses, longest_at_the_end_first, operations
from ablate.study.running.train import planned_data, train_run
from ablate.study.running.workers import device_of, settings_of
from ablate.study.study import study_of

CPU = torch.device("cpu")
SECTION = "execution: {engine: slurm, cpus: 3, workers: 5, gpus: 1, memory_gb: 8, hours: 2, slurm: {partition: gpu}}\n"


@pytest.fixture(autouse=True)
def _with_packages(monkeypatch):
    from ablate.execution import engine

    monkeypatch.setattr(engine, "find_spec", lambda name: object())


def test_neither_section_nor_flag_enters_a_key(tmp_path):
    plain = study_of(request_of(write_recipe(tmp_path), tmp_path / "out"))
    (tmp_path / "other").mkdir()
    recipe = write_recipe(tmp_path / "other", tail=TAIL + SECTION)
    request = Request(recipe=recipe, out=tmp_path / "out", sets=("execution.hours=9",))
    asked = study_of(request)
    flagged = study_of(Request(recipe=recipe, out=tmp_path / "out", engine="pool", workers=1))
    keys = [job.key for job in plain.jobs]
    assert [job.key for job in asked.jobs] == keys == [job.key for job in flagged.jobs]
    assert (asked.execution.engine, asked.execution.hours, flagged.execution.engine) == ("slurm", 9, "pool")
    assert asked.manifest.overrides == ()
    settings = settings_of(request, asked.execution, 2)
    assert (settings.engine, settings.workers, settings.threads, settings.gpus) == ("slurm", 2, 3, 1)
    assert (settings.memory_gb, settings.hours, settings.options.partition) == (8, 9, "gpu")
    assert device_of(request, asked.execution) == "cuda"
    assert device_of(request, flagged.execution) == "auto"


def test_two_engines_at_once_are_refused(tmp_path):
    request = request_of(write_recipe(tmp_path), tmp_path / "out", engine="slurm")
    with pytest.raises(AblateError, match="--inline and --engine slurm name two engines"):
        study_of(request)
    assert request_hash(request) == request_hash(request_of(request.recipe, request.out, engine="inline"))


def test_of_the_last_seed_the_longest_runs_go_first_and_all_others_stay_as_they_stand(tmp_path):
    recipe = write_recipe(tmp_path, tail="variants: [each]\nseeds: [0, 1]\n")
    jobs = study_of(request_of(recipe, tmp_path / "out")).jobs
    seeds = list(dict.fromkeys(job.seed for job in jobs))
    assert len(seeds) > 1
    assert all(operations(job) > 0 for job in jobs)
    last = [job for job in jobs if job.seed == seeds[-1]]
    work = {job.key: number for number, job in enumerate(last)}  # the last one of the seed is the longest
    jobs = [job.model_copy(update={"cost": weighing(job.cost, work.get(job.key, 0) + 1)}) for job in jobs]
    ordered = [job.key for job in longest_at_the_end_first(jobs)]
    assert ordered == [job.key for job in jobs if job.seed != seeds[-1]] + [job.key for job in reversed(last)]
    alone = [job for job in jobs if job.seed == seeds[-1]]
    assert longest_at_the_end_first(alone) == alone


def test_what_runs_took_of_a_gpu_is_known_by_their_records_and_later_runs_of_the_variant_are_told_of_it(
    tmp_path, monkeypatch
):
    recipe = write_recipe(tmp_path)
    study = run_study(request_of(recipe, tmp_path / "out")).study
    store, todo = study.store, study.jobs
    home = StudyHome(store, {job.key: job for job in todo})
    assert [home.took(job.key) for job in todo] == [None] * len(todo)  # on a CPU
    for job in todo:
        record = store.record(job.key)
        usage = record.usage.model_copy(update={"device_memory_bytes": 5 * 2**30})
        where = {"device": {"type": "cuda", "memory_bytes": 80 * 2**30}}
        store.put(record.model_copy(update={"usage": usage, "environment": where}), log="", recipe="", replace=True)
    use = DeviceUse(5 * 2**30, 80 * 2**30)
    assert home.took(todo[0].key) == use
    assert known_uses(todo, store) == {job.variant: use for job in todo}
    training = todo[0].configuration.training.model_copy(update={"batch_size": 32})
    other = todo[0].model_copy(
        update={"configuration": todo[0].configuration.model_copy(update={"training": training})}
    )
    assert known_uses([other], store) == {}
    given: list = []
    monkeypatch.setattr(missing, "execute", lambda jobs, *rest, **more: given.extend(jobs))
    for how in ("auto", 0.5):
        request = request_of(recipe, tmp_path / "out", inline=False, engine="ray", sets=(f"execution.gpus={how}",))
        settings = settings_of(request, study_of(request).execution, 9)
        assert settings.shares == (how == "auto")
        missing.train_all(todo, store, settings, lambda event: None, None)
    assert [job.kind for job in given[: len(todo)]] == [job.variant for job in todo]
    assert [job.took for job in given] == [use] * len(todo) + [None] * len(todo)


def test_a_machine_that_sees_no_data_or_others_than_were_planned_trains_nothing(tmp_path):
    noise = np.random.default_rng(0)
    movie, spikes = noise.integers(0, 256, (2000, 8, 8), np.uint8), noise.poisson(0.5, (2000, 3)).astype(np.uint8)
    recording = Recording(name="noise", bin_rate_hz=60.0, stimulus=movie, spikes=spikes)
    place = tmp_path / "recorded"
    write_recording(place, recording)
    data = DATA.replace(
        "synthetic_v1, sessions: 1, units: 4, frames: 2000, height: 8, width: 8, behaviors: 2", "recordings"
    )
    data = data.replace("bin_rate_hz: 60,", f"path: {place},")
    job = study_of(request_of(write_recipe(tmp_path, data=data), tmp_path / "out")).jobs[0]
    assert planned_data(job, CPU).fingerprint == job.data_fingerprint
    shutil.rmtree(place)
    with pytest.raises(Misplaced, match=r"does not see the data that the study was planned with: .*no recording found"):
        planned_data(job, CPU)
    write_recording(place, replace(recording, spikes=spikes[::-1].copy()))
    with pytest.raises(Misplaced, match=f"sees other data at {place} than the study was planned with"):
        planned_data(job, CPU)
    outcome = attempt(Job(job.key, job.model_dump(mode="json")), train_run)
    assert (outcome.state, outcome.cause) == ("failed", "machine")


def weighing(cost, work):
    return cost.model_copy(update={"flops": {"all": work}})
