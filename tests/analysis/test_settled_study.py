"""A study that is run until settled, through `analyse`: words, intervals and sentences are of its looks."""

import pytest
from planted import BASELINE, Planted, around, shifted

from ablate.analysis.study import analyse
from ablate.result import Schedule

SCHEDULE = Schedule(seeds=tuple(range(12)))


def study(scores, **more):
    fields = {"manifest_fields": {"schedule": SCHEDULE}, "seeds": range(12), "attainable": 2.0, **more}
    return Planted(scores, **fields)


def first(scores, seeds):
    return {seed: value for seed, value in scores.items() if seed < seeds}


BASE = around(1.0, 0.01, seeds=12)
ROWS = {
    "large": shifted(BASE, 0.2, 0.01, salt=2),
    "none": shifted(BASE, 0.0, 0.004, salt=3),
    "noisy": shifted(BASE, 0.01, 0.05, salt=4),
}


def analysed(done, **more):
    scores = {BASELINE: first(BASE, done), **{name: first(row, done) for name, row in ROWS.items()}}
    planted = study(scores, **more)
    return analyse(planted.manifest(), planted.records())


def test_before_the_first_look_nothing_is_judged():
    analysis = analysed(2)
    for name in ROWS:
        row = analysis.row(name)
        assert (row.verdict, row.verdict_note) == ("no evidence", "first look at 3 seeds")
        assert row.gain.interval is None
    assert analysis.answer.startswith("Before the first look, at 3 seeds: ")
    assert analysis.runs_planned == 12


def test_rows_say_at_how_many_seeds_they_were_settled_and_what_the_next_look_costs():
    analysis = analysed(3)
    assert {name: (analysis.row(name).verdict, analysis.row(name).verdict_note) for name in ROWS} == {
        "large": ("helps", "settled at 3 seeds"),
        "none": ("negligible", "within 3 %, settled at 3 seeds"),
        "noisy": ("no evidence", "open after 3 seeds"),
    }
    assert analysis.answer.startswith("After the look at 3 seeds (2 of 3 rows settled): large helps most surely")
    assert analysis.next_steps[0] == (
        "`ablate run RECIPE --until settled` goes on: the look at 4 seeds takes 2 runs more."
    )
    assert any("the look at 4 seeds takes 2 runs" in note.text for note in analysis.notes)
    assert (analysis.runs_done, analysis.runs_planned) == (12, 14)


def test_seeds_beyond_a_rows_look_are_no_part_of_its_row():
    early, late = analysed(3), analysed(12)
    assert late.row("large").gain.by_seed == early.row("large").gain.by_seed
    assert late.row("large").finite == "3/3"
    assert late.row("noisy").finite == "5/5"
    assert late.row("noisy").verdict_note == "ended at 5 seeds, for 12 would hardly settle it"
    assert late.settling.to_come is None


def test_a_repeated_interval_is_wider_than_that_of_a_study_whose_seeds_were_fixed():
    settled = analysed(3).row("large").gain
    fixed = analysed(3, manifest_fields={}, seeds=range(3)).row("large").gain
    assert settled.mean == fixed.mean
    assert settled.interval.low < fixed.interval.low < fixed.interval.high < settled.interval.high
    assert settled.relative_interval.low < fixed.relative_interval.low
    assert settled.p > fixed.p


def test_a_diverged_seed_bars_helps_and_is_not_bought_again():
    scores = {BASELINE: first(BASE, 3), **{name: first(row, 3) for name, row in ROWS.items()}}
    scores["large"] = {**scores["large"], 1: None}
    planted = study(scores)
    analysis = analyse(planted.manifest(), planted.records())
    row = analysis.row("large")
    assert row.verdict == "no evidence"
    assert analysis.settling.buy.get("large", (3,)) == (3,)


def test_controls_follow_and_references_keep_to_the_first_look():
    scores = {BASELINE: first(BASE, 3), **{name: first(row, 3) for name, row in ROWS.items()}}
    scores |= {"reseed": shifted(first(BASE, 3), 0.0, 0.05, salt=9), "resnet": shifted(first(BASE, 3), 0.3, salt=8)}
    planted = study(scores, roles={"reseed": "control", "resnet": "reference"})
    analysis = analyse(planted.manifest(), planted.records())
    assert analysis.settling.buy == {BASELINE: (3,), "noisy": (3,), "reseed": (3,)}
    assert analysis.row("resnet").finite == "3/3"


@pytest.mark.parametrize("rows", [1, 3])
def test_a_study_without_scores_begins_with_the_first_look_of_everything(rows):
    names = list(ROWS)[:rows]
    planted = study({BASELINE: {}, **{name: {} for name in names}})
    analysis = analyse(planted.manifest(), planted.records())
    assert analysis.settling.buy == dict.fromkeys((BASELINE, *names), (0, 1, 2))
