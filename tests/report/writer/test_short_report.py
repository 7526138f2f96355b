"""The end of `ablate run` and `ablate report`, on the committed studies: one screen, and on it what decides."""

import re
from pathlib import Path

import pytest

from ablate.cli.command.report import report_study
from ablate.cli.studies import analysis_of
from ablate.result import Store

ROOT = Path(__file__).parents[3]
LINES, WIDTH = 30, 100


@pytest.mark.parametrize("study", ["quickstart", "planted_truth"])
def test_the_short_report_fits_a_screen_and_has_question_answer_table_doubts_and_the_next_step(
    study: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(WIDTH))
    monkeypatch.chdir(ROOT)
    assert report_study(Path("results") / study) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) <= LINES
    assert max(map(len, lines)) <= WIDTH
    text = " ".join(" ".join(lines).split())
    analysis = analysis_of(Store(ROOT / "results" / study))
    assert f"question: {analysis.question}" in text
    assert f"answer: {analysis.answer}" in text
    for row in analysis.rows:
        (line,) = [line for line in lines if re.match(rf" *(\d+|-)  {re.escape(row.name)} ", line)]
        assert row.verdict in line
    assert any(guard.sentence in text for guard in analysis.guards)
    assert all(f"next: {step}" in text for step in analysis.next_steps[:1])  # none where every row has a verdict
    assert f"`ablate report results/{study} --details` shows all of the report" in text
