"""A finished study of five thousand runs answers at once: nothing is trained, and the report is written."""

import json
import re
import time

import pytest
from tiny_study import ablate, request_of, write_recipe

from ablate.result import Store
from ablate.study.flow import run_study
from ablate.study.running.missing import missing
from ablate.study.setup.merge import keep_manifest
from ablate.study.study import study_of

SEEDS = 2500


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """Two variants with 2,500 seeds each: two runs that were trained, and their records under all the other keys."""
    folder = tmp_path_factory.mktemp("thousands")
    recipe = write_recipe(folder)
    out = folder / "results"
    run_study(request_of(recipe, out, variants="fast"))
    store = Store(out / "tiny")
    texts = {record.variant: record.model_dump(mode="json") for record in store.records()}
    study = keep_manifest(
        study_of(request_of(recipe, out, variants="fast", seeds=f"0-{SEEDS - 1}")), request_of(recipe, out)
    )
    for job in study.jobs:
        place = store.folder(job.key)
        if not place.exists():
            place.mkdir()
            score = json.loads(json.dumps(texts[job.variant]["test"]))
            score["headline"] += (hash(job.key) % 1000) / 1e4
            record = texts[job.variant] | {"key": job.key, "seed": job.seed, "test": score}
            (place / "record.json").write_text(json.dumps(record))
    assert len(store.keys()) == 2 * SEEDS
    return recipe, out


def test_a_finished_study_of_five_thousand_runs_trains_nothing_and_answers_soon(finished, capsys):
    recipe, out = finished
    words = ["--out", out, "--variants", "fast", "--seeds", f"0-{SEEDS - 1}", "--device", "cpu"]
    began = time.perf_counter()
    told = ablate("run", recipe, *words)
    seconds = time.perf_counter() - began
    assert told.returncode == 0, told.stderr
    assert "every run of this study is done; nothing was trained" in told.stderr
    assert f"{SEEDS}/{SEEDS}" in told.stdout
    with capsys.disabled():
        print(f"\n`ablate run` on a finished study of 5,000 runs: {seconds:.1f} s")


@pytest.mark.parametrize("format", ["table", "json"])
def test_a_report_of_five_thousand_runs_is_written(finished, capsys, format):
    _, out = finished
    began = time.perf_counter()
    told = ablate("report", out / "tiny", "--format", format)
    seconds = time.perf_counter() - began
    assert told.returncode == 0, told.stderr
    assert re.search(rf"{SEEDS} seeds|{SEEDS}", told.stdout)
    with capsys.disabled():
        print(f"\n`ablate report --format {format}` on 5,000 runs: {seconds:.1f} s")


def test_one_run_more_is_all_that_a_study_of_five_thousand_trains(finished):
    recipe, out = finished
    began = time.perf_counter()
    request = request_of(recipe, out, variants="fast", seeds=f"0-{SEEDS}")
    assert [job.seed for job in missing(study_of(request), request)] == [SEEDS, SEEDS]
    print(f"\nplanned in {time.perf_counter() - began:.1f} s")
