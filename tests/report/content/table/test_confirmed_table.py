"""What a report says of a study that was tried on fresh seeds."""

import csv
import io
import json

import pytest
from planted import BASELINE, Planted
from planted_confirmation import CHOSEN, fresh, planted_confirmation

from ablate.analysis.study import analyse
from ablate.report import render

TRIED = {BASELINE: fresh(None), "lucky": fresh(0.0, 0.002), "real": fresh(0.03), "worse": fresh(-0.04)}


@pytest.fixture
def study():
    return analyse(*planted_confirmation(TRIED))


def test_every_document_says_which_verdicts_repeat_on_which_seeds(study):
    for format in ("table", "markdown", "latex", "json"):
        text = render(study, format)
        assert "Confirmed on fresh seeds" in text or format == "table", format
        assert "10-14" in text, format
        assert "contradicted" in text, format
    line = next(line for line in render(study, "markdown").splitlines() if line.startswith("| real | helps | "))
    assert "| 10-14 | repeats | +7.5 % " in line


def test_the_figures_are_in_csv_and_json(study):
    rows = {row["variant"]: row for row in json.loads(render(study, "json"))["rows"]}
    assert (rows["lucky"]["confirmed"], rows["lucky"]["confirmed_verdict"]) == ("contradicted", "negligible")
    assert rows["real"]["confirmed_gain"] == pytest.approx(0.03)
    assert rows["real"]["confirmed_gain_low"] < 0.03 < rows["real"]["confirmed_gain_high"]
    assert rows["real"]["confirmed_seeds"] == [10, 11, 12, 13, 14]
    assert (rows["unclear"]["confirmed"], rows["unclear"]["confirmed_gain"]) == (None, None)
    table = {row["variant"]: row for row in csv.DictReader(io.StringIO(render(study, "csv")))}
    assert table["real"]["confirmed"] == "repeats"
    assert float(table["real"]["confirmed_gain"]) == pytest.approx(0.03)


def test_while_fresh_runs_are_missing_their_number_stands_where_the_word_will():
    study = analyse(*planted_confirmation(TRIED, gone=(Planted.key("real", 14),)))
    line = next(line for line in render(study, "markdown").splitlines() if line.startswith("| real | helps | "))
    assert "| 10-14 | 9 of 10 runs |" in line


def test_a_study_that_was_not_confirmed_has_no_such_table_and_no_such_column():
    planted = Planted(dict(CHOSEN))
    text = render(analyse(planted.manifest(), planted.records()), "markdown")
    assert "fresh seeds" not in text
