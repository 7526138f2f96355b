"""The table of what runs measured beside their score."""

import json

from planted import BASELINE, Planted, around, shifted

from ablate.analysis.outcome import StudyAnalysis
from ablate.analysis.study import analyse
from ablate.report import render

LEAK = {BASELINE: (0.0, 0.0, 0.0), "vivit": (0.30, 0.34, 0.31)}


def study(measures: dict[str, tuple[float, ...]]) -> StudyAnalysis:
    base = around(0.4, 0.01)
    planted = Planted({BASELINE: base, "vivit": shifted(base, 0.01)})
    records = [
        record.model_copy(update={"measures": {"leak": measures[record.variant][record.seed]} if measures else {}})
        for record in planted.records()
    ]
    return analyse(planted.manifest(), records)


def test_every_document_says_what_the_leak_is_and_judges_it():
    for format in ("markdown", "latex", "json"):
        text = render(study(LEAK), format)
        assert "another interval's frames" in text, format
    assert "| leak | vivit | 0.317 | \\[+0.265, +0.368\\] | more |" in render(study(LEAK), "markdown")
    (table,) = [block for block in json.loads(render(study(LEAK), "json"))["report"] if block["key"] == "measured"]
    assert table["rows"][0] == ["leak", BASELINE, "0.000", "-", ""]


def test_a_study_that_measured_nothing_has_no_such_table():
    assert "Measured beside the score" not in render(study({}), "markdown")
    assert json.loads(render(study({}), "json"))["measured"] == []
