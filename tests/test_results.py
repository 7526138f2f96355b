"""The committed studies: each was measured where its question can be answered."""

import json
from pathlib import Path

import pytest

from ablate.analysis import analyse
from ablate.result import Store
from ablate.result.store.pack import PACK

RESULTS = Path(__file__).resolve().parent.parent / "results"
TABLES = sorted(RESULTS.glob("*/table.json"))
MEANT_TO_STAND_BELOW = {"planted_truth"}  # a linear model of one frame, stopped early, that patches are to fix
MOST_BYTES = 1_000_000


def test_there_are_tables():
    assert TABLES


@pytest.mark.parametrize("path", TABLES, ids=lambda path: path.parent.name)
def test_the_baseline_of_a_study_clears_its_floor(path):
    table = json.loads(path.read_text(encoding="utf-8"))
    floor = table.get("floor")
    if floor is None or path.parent.name in MEANT_TO_STAND_BELOW:
        pytest.skip("no score without receptive fields is known, or the study is about that")
    baseline = next(row for row in table["rows"] if row["variant"] == table["baseline"])
    assert baseline["score"] > 1.5 * floor
    assert baseline["score"] > 0.5 * table["attainable"]


COMMITTED = sorted(path.parent for path in RESULTS.glob("*/study.json"))


def test_records_are_committed():
    assert {folder.name for folder in COMMITTED} >= {"quickstart", "planted_truth"}


@pytest.mark.parametrize("folder", COMMITTED, ids=lambda folder: folder.name)
def test_a_fresh_clone_judges_the_committed_records_as_the_committed_table_does(folder):
    store = Store(folder)
    study = analyse(store.manifest(), store.records(), units=store.units, history=store.history)
    table = json.loads((folder / "table.json").read_text(encoding="utf-8"))
    assert study.answer == table["answer"]
    judged = [(row.name, row.verdict, row.gain.mean if row.gain else None) for row in study.rows]
    held = {row["variant"]: row for row in table["rows"]}
    assert [(name, held[name]["verdict"], held[name]["gain"]) for name in held] == judged


@pytest.mark.parametrize("folder", COMMITTED, ids=lambda folder: folder.name)
def test_a_committed_study_is_whole_and_small(folder):
    store = Store(folder)
    study = analyse(store.manifest(), store.records())
    assert store.scan().damaged == ()
    assert study.runs_done == study.runs_planned
    assert (folder / PACK).stat().st_size < MOST_BYTES
