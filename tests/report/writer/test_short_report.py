"""The end of `ablate run` and `ablate report`, on the committed studies: one screen, and on it what decides."""

import re
from pathlib import Path

import pytest

from ablate.analysis.guard.joined import sentences
from ablate.cli.command.report import report_study
from ablate.cli.studies import analysis_of
from ablate.result import Store

ROOT = Path(__file__).parents[3]
LINES, WIDTH = 30, 100


STUDIES = sorted(path.parent.name for path in (ROOT / "results").glob("*/study.json"))
MOST_ROWS = 10
"""Beyond as many beside the baseline a row takes a line more, and a patch four: more is to be said of it."""


@pytest.mark.parametrize("study", STUDIES)
def test_the_short_report_fits_a_screen_and_has_question_answer_table_doubts_and_the_next_step(
    study: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", str(WIDTH))
    monkeypatch.chdir(ROOT)
    assert report_study(Path("results") / study) == 0
    lines = capsys.readouterr().out.splitlines()
    analysis = analysis_of(Store(ROOT / "results" / study))
    patches = sum(row.role == "variant" for row in analysis.rows)
    more_patches, more_rows = (max(0, count - MOST_ROWS) for count in (patches, len(analysis.rows) - 1))
    assert len(lines) <= LINES + max(4 * more_patches, more_rows)
    assert max(map(len, lines)) <= WIDTH
    text = " ".join(" ".join(lines).split())
    assert f"question: {analysis.question}" in text
    assert f"answer: {analysis.answer}" in text
    for row in analysis.rows:
        (line,) = [line for line in lines if re.match(rf" *(\d+|-)  {re.escape(row.name)} ", line)]
        assert row.verdict in line
    assert any(sentence in text for sentence in sentences(analysis.guards))
    assert all(f"next: {step}" in text for step in analysis.next_steps[:1])  # none where every row has a verdict
    assert f": `ablate report results/{study} --details`; as a page: `--html FILE`" in text
