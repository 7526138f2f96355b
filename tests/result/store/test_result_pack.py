"""Committed records: one file a study holds what a report needs of its runs, and stands in for them in a clone."""

import json
import shutil

import pytest
from test_result_store import keep

from ablate.errors import AblateError
from ablate.result import RunRecord, Store, StudyManifest, VariantEntry
from ablate.result.provenance import study_facts
from ablate.result.store.pack import PACK

SECOND = "cd" * 10
BEFORE, EARLY, LATE = (f"2026-11-25T0{hour}:00:00+00:00" for hour in (5, 6, 7))


@pytest.fixture
def manifest(record) -> StudyManifest:
    variant = VariantEntry(name="p1", role="variant", keys={0: record.key, 1: SECOND})
    return StudyManifest(name="study", question="which?", seeds=(0, 1), variants=(variant,))


@pytest.fixture
def packed(store: Store, record: RunRecord, manifest: StudyManifest) -> Store:
    """A study of two runs, packed, its run folders gone: as in a fresh clone."""
    store.write_manifest(manifest)
    for key, seed in ((SECOND, 1), (record.key, 0)):
        with store.writer(key) as run:
            run.write_json("units.json", {"session_0": [0.1, float("nan")]})
            run.write_lines("history.jsonl", [{"step": 1, "loss": 0.5}, {"step": 2, "loss": 0.4, "validation": 0.3}])
            run.commit(record.model_copy(update={"key": key, "seed": seed, "finished": EARLY}))
    store.pack()
    shutil.rmtree(store.runs)
    return Store(store.root)


def test_a_clone_reads_records_units_and_scores_over_time_from_the_pack(packed, record):
    assert packed.keys() == tuple(sorted((record.key, SECOND)))
    assert packed.has(SECOND)
    assert packed.record(record.key) == record.model_copy(update={"finished": EARLY})
    assert packed.units(record.key) == {"session_0": [0.1, None]}
    assert packed.history(record.key) == [{"step": 2, "loss": 0.4, "validation": 0.3}]
    assert packed.weights(record.key) is None
    assert packed.keys_in_place() == ()
    assert packed.verify_hashes() == ()


def test_packing_again_gives_the_same_bytes_with_and_without_the_runs(packed, record, manifest):
    first = (packed.root / PACK).read_bytes()
    assert packed.pack().read_bytes() == first
    keep(packed, record.model_copy(update={"finished": EARLY}))  # the same run with its other files beside the record
    assert packed.units(record.key) == {"session_0": [0.1, None]}
    assert [json.loads(line)["record"]["seed"] for line in first.splitlines()] == [0, 1]


@pytest.mark.parametrize(
    ("finished", "state", "stands"),
    [
        (LATE, "done", "own"),
        (EARLY, "done", "own"),
        (BEFORE, "done", "packed"),
        (LATE, "failed", "own"),
        (LATE, "interrupted", "packed"),
    ],
)
def test_a_run_in_place_stands_unless_the_committed_one_is_newer(packed, record, finished, state, stands):
    own = record.model_copy(update={"finished": finished, "state": state, "reason": "here"})
    keep(packed, own)
    assert packed.record(record.key).reason == ("here" if stands == "own" else "")
    assert (packed.weights(record.key) is not None) == (stands == "own")
    assert len(packed.records()) == 2


def test_a_damaged_run_in_place_gives_way_to_the_committed_one(packed, record):
    keep(packed, record.model_copy(update={"finished": LATE}))
    (packed.folder(record.key) / "record.json").write_bytes(b"{")
    assert packed.record(record.key).finished == EARLY
    assert packed.scan().damaged == ()


def test_a_line_that_cannot_be_read_is_listed_and_its_run_counts_as_not_yet_run(packed, record):
    lines = (packed.root / PACK).read_bytes().splitlines()
    for bad in (b"<<<<<<< HEAD", lines[0][:40], b"[1]", b'{"record": {}, "units": 1, "history": []}', b"\xff"):
        (packed.root / PACK).write_bytes(b"\n".join([bad, lines[1]]) + b"\n")
        scan = Store(packed.root).scan()
        assert list(scan.records) == [SECOND]
        assert [damaged.key for damaged in scan.damaged] == [f"{PACK}:1"]
    with pytest.raises(AblateError):
        Store(packed.root).record(record.key)


def test_only_ended_runs_of_the_manifest_are_packed(store, record, manifest):
    store.write_manifest(manifest)
    keep(store, record)
    keep(store, record.model_copy(update={"key": "ef" * 10}))  # of a variant that is gone
    keep(store, record.model_copy(update={"key": SECOND, "state": "interrupted"}))
    assert len(store.pack().read_bytes().splitlines()) == 1


def test_a_file_that_changes_is_read_again(packed, record):
    assert len(packed.records()) == 2
    lines = (packed.root / PACK).read_bytes().splitlines(keepends=True)
    (packed.root / PACK).write_bytes(lines[0])
    assert len(packed.records()) == 1


def test_the_facts_of_a_study_count_its_own_runs(packed, record, manifest):
    git = {"git": {"commit": "a" * 40}}
    runs = [one.model_copy(update={"environment": git}) for one in packed.records()]
    outside = record.model_copy(update={"key": "ef" * 10, "finished": LATE})
    facts = study_facts(manifest, [*runs, outside])
    assert (facts.runs_done, facts.runs_planned, facts.finished) == (2, 2, "2026-11-25")
    assert facts.commits == {"aaaaaaa": 2}
