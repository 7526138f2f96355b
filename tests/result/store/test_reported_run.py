"""What a report reads of a run is the run, without what no report shows."""

import json

import pytest

from ablate.errors import AblateError
from ablate.result.record import ReportedRun, RunRecord


def test_a_reported_run_is_the_record_without_configuration_and_packages(store, record) -> None:
    told = {"git": {"commit": "ab" * 20}, "device": {"type": "cpu"}, "packages": {"torch": "2"}, "cores": 2}
    record = record.model_copy(update={"config": {"model": {"type": "encoder"}}, "environment": told})
    store.put(record)
    found = store.scan(ReportedRun).records[record.key]
    kept = {name: told[name] for name in ("git", "device")}
    assert found == ReportedRun.model_validate_json(record.model_dump_json())
    assert found.model_dump() == {**record.model_dump(), "config": {}, "environment": kept}
    assert store.record(record.key) == record, "whole for whoever asks for it"


def test_a_field_that_no_record_has_is_damage_to_a_report_too(store, record) -> None:
    store.put(record)
    path = store.folder(record.key) / "record.json"
    for change in ({"more": 1}, {"config": 3}):
        path.write_text(json.dumps({**record.model_dump(mode="json"), **change}))
        for kind in (RunRecord, ReportedRun):
            assert [one.key for one in store.scan(kind).damaged] == [record.key], (change, kind)


def test_of_a_curve_lines_without_a_score_may_stay_unread(store, record) -> None:
    with store.writer(record.key) as run:
        run.write_lines("history.jsonl", [{"step": 1, "loss": 0.5}, {"step": 2, "loss": 0.4, "validation": 0.3}])
        assert run.commit(record)
    assert store.history(record.key, scored=True) == store.history(record.key)[1:]
    path = store.folder(record.key) / "history.jsonl"
    path.write_text('{"step": 1,\n{"step": 2, "validation": 0.3}\n')
    assert store.history(record.key, scored=True) == [{"step": 2, "validation": 0.3}]
    path.write_text('{"step": 2, "validation": 0.3\n')
    with pytest.raises(AblateError, match="is damaged"):
        store.history(record.key, scored=True)
