"""`ablate compare`: two studies on disk in, their variants side by side out."""

import json
from pathlib import Path

import pytest
from planted import BASELINE, Planted, around, shifted

from ablate.cli.command.compare import compare_studies
from ablate.errors import AblateError
from ablate.result import Store


class Keyed(Planted):
    """Planted runs with keys that a store accepts."""

    @staticmethod
    def key(name: str, seed: int) -> str:
        return f"{sum(map(ord, name)):08x}{seed:04x}"


def written(root: Path, gain: float, steps: int, **fields: object) -> Path:
    base = around(0.4, 0.01)
    planted = Keyed({BASELINE: base, "tokens": shifted(base, gain)}, manifest_fields={"name": root.name, **fields})
    store = Store(root)
    store.write_manifest(planted.manifest())
    for record in planted.records():
        store.put(record.model_copy(update={"config": {"training": {"steps": steps}, "data": {"window": 48}}}))
    return root


def test_what_differs_and_what_changed_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = written(tmp_path / "one", 0.02, 100), written(tmp_path / "two", -0.02, 200)
    assert compare_studies(first, second) == 0
    said = capsys.readouterr().out
    assert "verdicts that changed: tokens (helps -> hurts)" in said
    assert "gains that differ by more than noise (*): tokens" in said
    assert "\ntraining.steps  100  200\n" in said
    assert "Data: the same" in said


def test_json_carries_both_sides(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = written(tmp_path / "one", 0.02, 100), written(tmp_path / "two", 0.03, 100)
    compare_studies(first, second, format="json")
    record = json.loads(capsys.readouterr().out)
    tokens = next(row for row in record["variants"] if row["variant"] == "tokens")
    assert tokens["first"]["verdict"] == tokens["second"]["verdict"] == "helps"
    assert tokens["gain_change"] == pytest.approx(0.025)
    assert record["configuration"] == []


def test_a_study_and_itself_differ_in_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    study = written(tmp_path / "one", 0.02, 100)
    compare_studies(study, study)
    said = capsys.readouterr().out
    assert "no verdict changed" in said
    for kind in ("Configuration", "Data", "Environment"):
        assert f"{kind}: the same" in said


def test_a_folder_without_a_study_is_told(tmp_path: Path) -> None:
    study = written(tmp_path / "one", 0.02, 100)
    with pytest.raises(AblateError, match="is no study's folder"):
        compare_studies(study, tmp_path)
    with pytest.raises(AblateError, match="there is no such folder"):
        compare_studies(tmp_path / "absent", study)


def test_an_unknown_format_is_told(tmp_path: Path) -> None:
    with pytest.raises(AblateError, match="choose table or json"):
        compare_studies(tmp_path, tmp_path, format="xml")
