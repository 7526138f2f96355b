"""The ranked table: exact rows, every width, hostile names, studies under way."""

from io import StringIO

import pytest
from planted import BASELINE, Planted, around, shifted, typical
from rich.console import Console

from ablate.analysis import analyse
from ablate.report import live_table, render


def table(planted: Planted, width: int = 140) -> str:
    return render(analyse(planted.manifest(), planted.records()), "table", width)


def line(text: str, start: str) -> str:
    return next(part for part in text.splitlines() if part.startswith(start))


def test_rows_read_as_planted_on_a_wide_terminal():
    text = table(typical(), 200)
    assert " ".join(line(text, "#").split()) == (
        "# variant what it changes bits/spike, 95 % gain, 95 % gain Holm p expected verdict gap ceiling parameters "
        "FLOPs time memory seeds"
    )
    assert " ".join(line(text, "2  tokens").split()) == (
        "2 tokens tokens changed 0.420 [0.395, 0.445] +5.0 % [+4.3, +5.8] +0.020 <0.001 +3..6 % helps, met 50 % 52 % "
        "1.5 M +50 % x2.5 60 s 1.2 GB 3/3"
    )


def test_rows_read_as_planted_on_a_narrow_terminal():
    text = table(typical(), 80)
    assert line(text, "1  ") == "1  tokens+blur  0.424       +6.0 % [+5.3, +6.8]     helps         1.5 M +50 %"
    assert line(text, "3  ") == "3  wide         0.426       +5.4 % [+3.6, +8.0]     no evidence   1.5 M +50 %"
    assert line(text, "5  ") == "5  slow         0.370       -7.5 % [-8.6, -6.5]     hurts, below  1.5 M +50 %"
    assert line(text, "-  baseline") == "-  baseline     0.400                               baseline      1 M"


def test_the_head_tells_question_landmarks_and_answer():
    lines = table(typical(), 200).splitlines()
    assert (
        lines[0]
        == "planted   question: Which patch helps?   synthetic_v1, 2 sessions, 32 units, 3 seeds, test bits/spike"
    )
    assert lines[1].startswith(
        "baseline 0.400 [0.375, 0.425]   reference resnet 0.440 [0.414, 0.466]   reference glm 0.200"
    )
    assert lines[1].endswith("attainable 0.800   smallest detectable gain 0.8 %")
    assert lines[2].startswith("answer: tokens+blur helps most surely: +6.0 % [+5.3, +6.8] bits/spike")


def test_what_must_be_said_stands_beneath():
    text = table(typical(), 200)
    for said in (
        " wide: no evidence, 2/3 finite, a failed seed bars 'helps'",
        " also changed by tokens: tokenizer -4.23 M weights, 36 -> 144 tokens",
        " wide, seed 1 diverged: loss was not finite at step 17",
        " 1 unit with too few spikes in the test split is left out of every score.",
        " One-at-a-time gains hold at the baseline's tuning",
        " next: Fix what failed (wide), then run the study again: finished runs are kept.",
    ):
        assert f"\n{said}" in text


@pytest.mark.parametrize("width", [60, 80, 100, 140, 200, 400])
def test_no_line_is_wider_than_the_terminal_and_no_row_is_wrapped(width):
    text = table(typical(), width)
    assert max(map(len, text.splitlines())) <= width
    for name, verdict in (("tokens+blur", "helps"), ("resnet", "reference"), ("baseline", "baseline")):
        row = next(part for part in text.splitlines() if part[3:].startswith(f"{name} "))
        assert verdict in row


def test_what_a_narrow_table_leaves_out_of_its_columns_is_told_beneath():
    assert "\n tokens changes tokens changed" in table(typical(), 80)
    assert "\n tokens changes" not in table(typical(), 200)


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
    assert [part.rstrip() for part in plain.getvalue().splitlines()] == render(analysis, "table", 100).splitlines()


def test_a_rehearsal_opens_with_a_warning():
    text = table(typical(manifest_fields={"rehearsal": True}))
    assert text.splitlines()[0] == "REHEARSAL: A FEW STEPS ON LITTLE DATA. THESE NUMBERS ARE NOT RESULTS."


def test_one_seed_shows_gains_without_intervals():
    text = table(Planted({BASELINE: {0: 0.4}, "p": {0: 0.5}}, seeds=(0,)), 100)
    assert " ".join(line(text, "-  p ").split()) == "- p p changed 0.500 +25.0 % no evidence 1.5 M +50 % x2.5 1/1"
    assert " p: no evidence, 1 seed: no interval" in text


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
    assert "answer: So far (0 of 6 runs): no answer, for the baseline has no finite seed." in text
    assert line(text, "-  p ").endswith("0/3")


def test_many_lines_of_one_kind_are_cut_short():
    base = around(0.4, 0.01)
    scores = {BASELINE: base} | {f"p{i:02d}": dict.fromkeys(base) for i in range(30)}
    text = table(Planted(scores), 100)
    assert " ... and 70 more such lines (--format json has all)" in text
