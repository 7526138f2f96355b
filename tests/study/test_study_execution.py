"""Where a study is executed is no part of what it is: the same keys, whatever `execution:` and `--engine` say."""

import pytest
from tiny_study import TAIL, request_of, write_recipe

from ablate.errors import AblateError
from ablate.request import Request, request_hash
from ablate.study.running.missing import longest_at_the_end_first, operations
from ablate.study.running.workers import device_of, settings_of
from ablate.study.study import study_of

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


def weighing(cost, work):
    return cost.model_copy(update={"flops": {"all": work}})
