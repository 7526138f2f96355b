"""Markdown, CSV, JSON, LaTeX."""

import csv
import io
import json
import re
import subprocess
import sys

import pytest
from planted import BASELINE, Planted, around, shifted, typical

from ablate.analysis.study import analyse
from ablate.errors import AblateError
from ablate.report import render

FORMATS = ("table", "markdown", "csv", "json", "latex", "units")


def written(format: str, planted: Planted | None = None) -> str:
    planted = planted or typical()
    return render(analyse(planted.manifest(), planted.records()), format)


def test_a_json_row_carries_the_promised_names():
    report = json.loads(written("json"))
    assert {"study", "question", "metric", "rehearsal", "rows", "notes"} <= set(report)
    row = next(row for row in report["rows"] if row["variant"] == "tokens")
    assert row["verdict"] == "helps"
    assert [round(row[name], 4) for name in ("score", "gain", "gain_low", "gain_high")] == [0.42, 0.02, 0.0167, 0.0233]
    assert (row["total_parameters"], row["seeds_done"], row["seeds_planned"]) == (1_500_000, 3, 3)
    assert (row["expected_low"], row["expected_high"], row["expectation"]) == (0.03, 0.06, "met")


def test_json_has_no_value_that_json_does_not_know():
    base = around(0.4, 0.01)
    planted = Planted({BASELINE: base, "copy": dict(base), "broken": dict.fromkeys(base)})
    json.loads(written("json", planted), parse_constant=lambda name: pytest.fail(name))


def test_csv_has_one_line_a_variant_and_lists_joined():
    rows = list(csv.DictReader(io.StringIO(written("csv"))))
    assert [row["variant"] for row in rows][:2] == ["tokens+blur", "tokens"]
    assert rows[1]["also_changed"] == "tokenizer -4.23 M weights; 36 -> 144 tokens"
    assert float(rows[1]["gain"]) == pytest.approx(0.02)
    assert rows[-1]["gain"] == ""


def test_csv_and_json_rows_have_the_same_names_in_the_same_order():
    names = next(csv.reader(io.StringIO(written("csv"))))
    row = json.loads(written("json"))["rows"][0]
    assert names[3:] == list(row)[: len(names) - 3]


def test_a_markdown_row_reads_as_planted():
    lines = written("markdown").splitlines()
    assert lines[0] == r"## planted: synthetic\_v1, 2 sessions, 32 units, 3 seeds, test bits/spike"
    assert (
        r"| 2 | tokens | tokens changed | 0.420 \[0.395, 0.445\] | +5.0 % \[+4.1, +5.9\] "
        r"| +0.020 \[+0.017, +0.023\] | &lt;0.001 | "
        "+3..6 %, met | helps | 50 % | 3/3 | 0.420 | 52 % | 1.5 M +50 % | x2.5 | 60 s | 1.2 GB |"
    ) in lines


def test_a_pipe_or_a_tag_in_a_name_cannot_break_a_markdown_table():
    base = around(0.4, 0.01)
    text = written("markdown", Planted({BASELINE: base, "a|b<i>_c_": shifted(base, 0.02)}))
    assert r"| 1 | a\|b&lt;i&gt;\_c\_ |" in text


def test_latex_is_escaped_and_uses_booktabs():
    base = around(0.4, 0.01)
    text = written("latex", Planted({BASELINE: base, "50%_of $x$ & #\\y": shifted(base, 0.02)}))
    assert r"1 & 50\%\_of \$x\$ \& \#\textbackslash{}y & " in text
    tables = re.findall(r"\\toprule(.*?)\\bottomrule", text, flags=re.DOTALL)
    assert len(tables) == text.count(r"\toprule") == text.count(r"\begin{table}") == 2
    for body in tables:
        cells = {row.replace(r"\&", "").count("&") for row in body.splitlines() if row.endswith(r"\\")}
        assert len(cells) == 1


@pytest.mark.parametrize("format", FORMATS)
def test_every_format_says_that_a_rehearsals_numbers_are_not_results(format):
    text = written(format, typical(manifest_fields={"rehearsal": True})).lower()
    assert "not results" in text or '"numbers_are_results": false' in text
    assert "not results" not in written(format).lower()


@pytest.mark.parametrize("format", [name for name in FORMATS if name != "units"])
def test_every_format_has_every_variant_and_all_that_is_whole_says_where_gains_hold(format):
    text = written(format)
    for name in typical().scores:
        assert name in text
    assert format in ("csv", "table") or "One-at-a-time gains hold" in text


@pytest.mark.parametrize("format", FORMATS)
def test_the_same_input_gives_the_same_output(format):
    assert written(format) == written(format)


def test_an_unknown_format_is_refused_with_the_known_ones():
    with pytest.raises(AblateError) as caught:
        written("pdf")
    assert str(caught.value) == "error: unknown format `pdf`\n\nhint: one of table, markdown, csv, json, latex, units"


def test_report_and_analysis_load_neither_torch_nor_scipy_stats():
    heavy = ("torch", "scipy.stats", "pandas")
    code = f"import sys, ablate.report, ablate.analysis; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
