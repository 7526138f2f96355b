"""One recipe gives the same on every engine: keys, records, curves and weights bit for bit, and the same table.

Slow: a real SLURM and a real Ray on this machine; each run there starts Python anew.
"""

import csv
from pathlib import Path

import pytest
import slurm_cluster
from ray_cluster import ray_cluster
from tiny_study import ROOT, plain, request_of, run_files, write_recipe

from ablate.cli.studies import analysis_of
from ablate.report import render
from ablate.result import Store
from ablate.study.flow import run_study

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(1800),
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]
FILES = ("units.json", "history.jsonl", "weights.safetensors")
MEASURED = ("seconds", "seconds_ratio", "step_milliseconds", "peak_memory_bytes", "memory_ratio")
QUICKSTART = ROOT / "recipes" / "quickstart.yaml"


@pytest.fixture(scope="module", params=["quickstart --quick", "a small study"])
def reference(request, tmp_path_factory, _own_cache):
    """A recipe, how it is asked for, and its study in this process."""
    folder = tmp_path_factory.mktemp("agree")
    quick = request.param == "quickstart --quick"
    recipe = QUICKSTART if quick else write_recipe(folder, tail="variants: [each]\nseeds: [0, 1]\n")
    how = {"quick": True} if quick else {}
    return folder, recipe, how, study_on("inline", folder, recipe, how)


def study_on(engine: str, folder: Path, recipe: Path, how: dict) -> Store:
    sets = ("execution.slurm.poll_seconds=1",) if engine == "slurm" else ()
    end = run_study(request_of(recipe, folder / engine, inline=False, engine=engine, sets=sets, **how))
    assert (end.failures, end.left, end.interrupted) == ((), (), False)
    return end.study.store


def agree(one: Store, other: Store) -> None:
    assert one.keys() == other.keys() != ()
    assert plain(one) == plain(other)
    assert run_files(one, *FILES) == run_files(other, *FILES)
    assert other.verify_hashes() == ()
    assert render(analysis_of(one)) == render(analysis_of(other))
    assert untimed(render(analysis_of(one), "csv")) == untimed(render(analysis_of(other), "csv"))


def untimed(table: str) -> list[dict[str, str]]:
    """The rows of a table as CSV without what was measured of time and memory."""
    rows = list(csv.DictReader(table.splitlines()))
    assert rows
    return [{name: text for name, text in row.items() if name not in MEASURED} for row in rows]


def test_the_pool_gives_what_this_process_gives(reference):
    folder, recipe, how, inline = reference
    agree(inline, study_on("pool", folder, recipe, how))


@pytest.mark.skipif(bool(slurm_cluster.missing()), reason=slurm_cluster.missing() or "a cluster can be started")
def test_slurm_gives_what_this_process_gives(reference, monkeypatch):
    pytest.importorskip("submitit", reason="the extra `slurm` is not installed")
    folder, recipe, how, inline = reference
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    with slurm_cluster.cluster() as environment:
        monkeypatch.setenv("SLURM_CONF", environment["SLURM_CONF"])
        agree(inline, study_on("slurm", folder, recipe, how))


def test_ray_gives_what_this_process_gives(reference, monkeypatch):
    pytest.importorskip("ray", reason="the extra `ray` is not installed")
    folder, recipe, how, inline = reference
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    with ray_cluster():
        agree(inline, study_on("ray", folder, recipe, how))
