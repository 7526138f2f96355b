"""`ablate report` of a folder of studies: first one line a study, nothing of it cut, then each study's short report."""

from pathlib import Path

import pytest
from planted import BASELINE, Planted, around, shifted

from ablate.cli.command.report import report_study
from ablate.result import Store


class Keyed(Planted):
    """Planted runs with keys that a store accepts."""

    @staticmethod
    def key(name: str, seed: int) -> str:
        return f"{sum(map(ord, name)):08x}{seed:04x}"


def test_several_studies_open_with_question_answer_runs_commit_and_date_of_each(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "400")
    base = around(0.4, 0.01)
    for name, by in (("first", 0.02), ("second", -0.02)):
        planted = Keyed({BASELINE: base, "p": shifted(base, by)}, manifest_fields={"name": name})
        store = Store(tmp_path / name)
        store.write_manifest(planted.manifest())
        for record in planted.records():
            at = {"environment": {"git": {"commit": "0123456789"}}, "finished": "2026-11-25T09:00:00Z"}
            store.put(record.model_copy(update=at))
    assert report_study(tmp_path) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "2 studies"
    assert lines[1].startswith("  first: Which patch helps? Answer: p helps most surely: +5.0 %")
    assert lines[1].endswith("(6 of 6 runs, commit 0123456, 2026-11-25)")
    assert lines[2].startswith("  second: Which patch helps? Answer: no patch is shown to help; p hurts. With 3 seeds")
    assert lines[3] == ""
    assert lines[4].startswith("first: ")
    assert any(line.startswith("second: ") for line in lines[5:])
