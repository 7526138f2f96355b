"""The ranked table: exact rows, every width, hostile names, studies under way."""

from io import StringIO

import pytest
from planted import BASELINE, Planted, around, shifted, typical
from rich.console import Console

from ablate.analysis.headline import REHEARSAL
from ablate.analysis.study import analyse
from ablate.report import View, compose, live_table, render
from ablate.report.columns import columns


def table(planted: Planted, width: int = 140, *, details: bool = False) -> str:
    return render(analyse(planted.manifest(), planted.records()), "table", width, details=details)


def line(text: str, start: str) -> str:
    return next(part for part in text.splitlines() if part.startswith(start))


def test_rows_read_as_planted_on_a_wide_terminal():
    text = table(typical(), 205)
    assert " ".join(line(text, "#").split()) == (
        "# variant what it changes bits/spike, 95 % gain, 95 % gain Holm p expected verdict gap seeds ceiling "
        "parameters FLOPs time memory"
    )
    assert " ".join(line(text, "2  tokens").split()) == (
        "2 tokens tokens changed 0.420 [0.395, 0.445] +5.0 % [+4.1, +5.9] +0.020 <0.001 +3..6 %, met helps 50 % 3/3 "
        "52 % 1.5 M +50 % x2.5 60 s 1.2 GB"
    )


def test_rows_read_as_planted_on_a_narrow_terminal():
    text = table(typical(), 80)
    assert line(text, "1  ").split() == ["1", "tokens+blur", "0.424", "+6.0", "%", "[+5.1,", "+6.9]", "helps"]
    assert line(text, "3  ").split() == ["3", "wide", "0.426", "+5.4", "%", "[+3.4,", "+8.3]", "no", "evidence"]
    assert line(text, "5  ").split() == ["5", "slow", "0.370", "-7.5", "%", "[-8.8,", "-6.3]", "below", "hurts"]
    assert line(text, "-  baseline").split() == ["-", "baseline", "0.400", "baseline"]


@pytest.mark.parametrize("width", [80, 140, 205])
def test_a_row_that_no_run_was_made_of_says_so_once(width):
    text = table(Planted({BASELINE: around(0.4, 0.01), "none": {}}), width)
    assert text.count("not run yet") == 1
    assert "not run yet" in line(text, "-  none")


def test_the_head_has_study_question_answer_and_landmarks():
    lines = table(typical(), 205).splitlines()
    assert lines[0] == "planted: synthetic_v1, 2 sessions, 32 units, 3 seeds, test bits/spike"
    assert lines[1] == "question: Which patch helps?"
    assert lines[2].startswith("answer: tokens+blur helps most surely: +6.0 % [+5.1, +6.9] bits/spike")
    assert lines[3] == (
        "baseline 0.400 [0.375, 0.425]   reference resnet 0.440   reference glm 0.200   attainable 0.800   "
        "smallest detectable gain 2.1 %   runs 27"
    )


def test_what_is_wrong_and_what_to_run_next_stand_beneath_the_table():
    text = table(typical(), 205)
    assert "\nwide, seed 1 diverged: loss was not finite at step 17\nnext: Fix what failed (wide)" in text


def test_details_say_in_sentences_what_the_short_report_leaves_out():
    text = table(typical(), 200, details=True)
    for sentence in (
        "  wide: no evidence; 2/3 finite; a failed seed bars 'helps'.",
        "  blur: no evidence; to tell a gain of this size from noise takes more than 100 seeds, of blur and of the "
        "baseline each.",
        "  tokens changes tokens changed; also moved: tokenizer -4.23 M weights, 36 -> 144 tokens.",
        "  1 unit with too few spikes in the test split is left out of every score.",
        "  slow: expected gain +1..2 %, measured -7.5 %: below.",
    ):
        assert f"\n{sentence}\n" in text
        assert sentence.strip() not in table(typical(), 205)


@pytest.mark.parametrize("width", [60, 80, 100, 140, 200, 400])
def test_no_line_is_wider_than_the_terminal_and_no_row_is_wrapped(width):
    text = table(typical(), width)
    assert max(map(len, text.splitlines())) <= width
    for name, verdict in (("tokens+blur", "helps"), ("resnet", "reference"), ("baseline", "baseline")):
        row = next(part for part in text.splitlines() if part[3:].startswith(f"{name} "))
        assert verdict in row


@pytest.mark.parametrize("width", [60, 80, 100, 140, 200])
def test_details_lose_no_column_and_shorten_none_however_narrow_the_terminal(width):
    text = table(typical(), width, details=True)
    assert max(map(len, text.splitlines())) <= width
    words = " ".join(text.split())
    analysis = analyse(typical().manifest(), typical().records())
    for column in columns(analysis):
        assert column.heading in words
        for row in analysis.rows:
            assert column.cell(row) in words


def test_the_short_report_says_how_much_it_leaves_out_and_where_that_is():
    base = around(0.4, 0.01)
    scores = {BASELINE: base} | {f"p{i:02d}": dict.fromkeys(base) for i in range(30)}
    planted = Planted(scores)
    content = compose(analyse(planted.manifest(), planted.records()))
    lines = [part.plain for part in View(content, most=45, more="`ablate report X --details` shows all.").lines(100)]
    shown = sum(part.endswith("loss was not finite at step 17") for part in lines)
    assert 0 < shown < 90
    assert len(lines) <= 45
    assert lines[-1] == f"{90 - shown} more remarks: `ablate report X --details` shows all."


def test_markup_and_escape_sequences_in_names_have_no_effect():
    base = around(0.4, 0.01)
    planted = Planted(
        {BASELINE: base, "[red]x[/red]\x1b[31m": shifted(base, 0.02)}, manifest_fields={"question": "[b]a\nb?"}
    )
    analysis = analyse(planted.manifest(), planted.records())
    written = StringIO()
    Console(file=written, width=140, color_system=None, force_terminal=False).print(live_table(analysis))
    assert "[red]x[/red] [31m" in written.getvalue()
    assert "question: [b]a b?" in written.getvalue()
    assert "\x1b" not in written.getvalue()


def test_the_live_table_is_the_text_table_in_colour():
    analysis = analyse(typical().manifest(), typical().records())
    written = StringIO()
    Console(file=written, width=100, force_terminal=True, color_system="standard").print(live_table(analysis))
    assert "\x1b[1;32m" in written.getvalue()  # helps
    plain = StringIO()
    Console(file=plain, width=100, color_system=None).print(live_table(analysis))
    printed = [part.rstrip() for part in plain.getvalue().splitlines()]
    assert printed == [part.plain.rstrip() for part in live_table(analysis).lines(100)]


def test_a_rehearsal_opens_with_a_warning():
    text = table(typical(manifest_fields={"rehearsal": True}))
    assert text.splitlines()[0] == REHEARSAL


def test_one_seed_shows_gains_without_intervals():
    text = table(Planted({BASELINE: {0: 0.4}, "p": {0: 0.5}}, seeds=(0,)), 100)
    assert " ".join(line(text, "-  p ").split()).startswith("- p p changed 0.500 +25.0 % no evidence 1/1 ")


def test_gains_are_absolute_when_the_baseline_is_at_chance():
    base = around(0.004, 0.01)
    text = table(Planted({BASELINE: base, "p": shifted(base, 0.3)}), 100)
    assert "+0.300 [+0.298, +0.302]" in line(text, "1  p")
    assert "%" not in line(text, "1  p").replace("+50 %", "").replace("38 %", "")


def test_a_study_of_labels_shows_accuracy_and_its_unit():
    text = table(typical(metric="bits_per_label", accuracy=0.87), 200)
    assert "bits/label, 95 %" in line(text, "#")
    assert "0.870" in line(text, "1  ")
    assert "spike" not in text.replace("too few spikes", "")


def test_an_empty_study_has_a_table_too():
    text = table(Planted({BASELINE: {}, "p": {}}), 100)
    assert "answer: So far (0 of 6 runs): no answer yet, for no run of the baseline has ended with a score." in text
    assert "  0/3  " in line(text, "-  p ")


def test_of_many_lines_of_one_kind_details_show_200_and_count_the_others():
    base = around(0.4, 0.01)
    scores = {BASELINE: base} | {f"p{i:02d}": dict.fromkeys(base) for i in range(90)}
    text = table(Planted(scores), 100, details=True)
    assert "  ... and 70 more such lines (--format json has all)" in text
