"""Verdicts, ranking and guards of whole planted studies."""

import random

import pytest
from planted import BASELINE, Planted, around, shifted, typical

from ablate.analysis.outcome import StudyAnalysis
from ablate.analysis.study import analyse
from ablate.errors import AblateError


def run(planted: Planted, **loaders: object) -> StudyAnalysis:
    return analyse(planted.manifest(), planted.records(), **loaders)


def texts(analysis: StudyAnalysis, kind: str) -> list[str]:
    return [note.text for note in analysis.notes if note.kind == kind]


def test_every_row_gets_its_verdict_and_its_place():
    rows = [(row.rank, row.name, row.verdict) for row in run(typical()).rows]
    assert rows == [
        (1, "tokens+blur", "helps"),
        (2, "tokens", "helps"),
        (3, "wide", "no evidence"),
        (4, "blur", "no evidence"),
        (5, "slow", "hurts"),
        (None, "reseed", "negligible"),
        (None, "resnet", "reference"),
        (None, "glm", "reference"),
        (None, "baseline", "baseline"),
    ]


def test_helpers_are_ranked_by_the_lower_end_and_not_by_the_point_estimate():
    base = around(0.4, 0.01, seeds=5)
    planted = Planted(
        {BASELINE: base, "sure": shifted(base, 0.030, 0.001), "wild": shifted(base, 0.040, 0.012, salt=2)},
        seeds=range(5),
    )
    analysis = run(planted)
    assert analysis.row("wild").gain.mean > analysis.row("sure").gain.mean
    assert [row.name for row in analysis.rows[:2]] == ["sure", "wild"]
    assert [row.verdict for row in analysis.rows[:2]] == ["helps", "helps"]
    assert analysis.winner == "sure"


def test_a_diverged_seed_stays_in_the_verdict_and_bars_helps():
    analysis = run(typical())
    wide = analysis.row("wide")
    assert wide.gain.interval.low > 0
    assert wide.gain.p_holm <= 0.05
    assert (wide.verdict, wide.verdict_note, wide.finite) == (
        "no evidence",
        "2/3 finite, a failed seed bars 'helps'",
        "2/3",
    )
    assert [(f.variant, f.seed, f.state) for f in analysis.failures] == [("wide", 1, "diverged")]


def test_scores_over_different_sets_of_bins_are_never_compared():
    row = run(typical(hashes={"tokens": "other bins"})).row("tokens")
    assert (row.verdict, row.gain, row.rank) == ("invalid", None, None)
    assert row.verdict_note == "scored on other bins than the baseline (seeds 0, 1, 2)"


def test_a_variant_without_a_finite_seed_is_invalid():
    base = around(0.4, 0.01)
    row = run(Planted({BASELINE: base, "broken": dict.fromkeys(base)})).row("broken")
    assert (row.verdict, row.verdict_note, row.score) == ("invalid", "0/3 finite", None)


def test_one_seed_gives_no_interval_no_rank_and_no_winner():
    analysis = run(Planted({BASELINE: {0: 0.4}, "great": {0: 0.9}}, seeds=(0,)))
    row = analysis.row("great")
    assert (row.verdict, row.verdict_note, row.rank) == ("no evidence", "1 seed: no interval", None)
    assert analysis.winner is None
    assert analysis.answer == "no winner is named: one seed gives no interval, so noise cannot be told from gain."


def test_no_winner_is_named_when_the_baseline_is_at_chance():
    base = around(0.004, 0.01)
    analysis = run(Planted({BASELINE: base, "real": shifted(base, 0.3)}))
    assert analysis.row("real").verdict == "helps"
    assert (analysis.winner, analysis.baseline_at_chance) == (None, True)
    assert analysis.row("real").gain.relative is None
    assert "the baseline is at chance" in analysis.answer


def test_no_winner_is_named_when_everything_is_within_noise():
    base = around(0.4, 0.01)
    analysis = run(Planted({BASELINE: base, "nothing": shifted(base, 0.001, 0.01)}))
    assert analysis.winner is None
    assert analysis.answer.startswith("no winner is named: no patch is clear of noise. With 3 seeds, a gain under ")


def test_patches_that_hurt_are_named_when_none_helps():
    """The quickstart's answer once read "no patch is clear of noise" above two rows that hurt at p < .001."""
    base = around(0.4, 0.01)
    analysis = run(Planted({BASELINE: base, "worse": shifted(base, -0.1), "nothing": shifted(base, 0.0, 0.01)}))
    assert analysis.row("worse").verdict == "hurts"
    assert analysis.winner is None
    assert analysis.answer.startswith("no patch is shown to help; worse hurts. With 3 seeds, a gain under ")


def test_a_gain_that_holm_takes_back_says_so():
    base = around(0.4, 0.01, seeds=4)
    scores = {BASELINE: base, "one": shifted(base, 0.016, 0.008, salt=3)}
    scores |= {f"null{i}": shifted(base, 0.0, 0.01, salt=10 + i) for i in range(9)}
    row = run(Planted(scores, seeds=range(4))).row("one")
    assert row.gain.interval.low > 0
    assert row.verdict == "no evidence"
    assert row.verdict_note.startswith("clear of zero alone, not after Holm, would need ")
    assert not row.gain.judged.clear_of(0.0)
    assert not row.gain.judged_relative.clear_of(0.0)


def test_references_and_controls_are_not_in_the_family_but_a_control_is_judged_alike():
    analysis = run(typical())
    assert set(analysis.family) == {"tokens", "blur", "slow", "tokens+blur", "wide"}
    without = run(typical(roles={"reseed": "variant", "resnet": "reference", "glm": "reference"}))
    assert analysis.row("reseed").gain.p_holm == without.row("reseed").gain.p_holm
    assert analysis.row("resnet").gain.p_holm is None
    assert "reseed, resnet and glm are not in the family" in texts(analysis, "family")[0]


def test_a_planted_control_that_does_something_is_found_out():
    base = around(0.4, 0.01)
    analysis = run(Planted({BASELINE: base, "leak": shifted(base, 0.05)}, roles={"leak": "control"}))
    assert analysis.row("leak").verdict == "helps"
    assert analysis.winner is None


def test_of_a_hundred_controls_that_do_nothing_none_is_said_to_have_moved_and_one_that_does_is():
    """Each was judged alone: three of a hundred moved, and no winner was named."""
    base = around(0.4, 0.01, seeds=5)
    controls = {f"c{i}": shifted(base, 0.0, 0.005, salt=10 + i) for i in range(100)}
    for leak in (False, True):
        held = controls | ({"c7": shifted(base, 0.05, 0.005, salt=17)} if leak else {})
        scores = {BASELINE: base, "p": shifted(base, 0.05, 0.005, salt=3), **held}
        analysis = run(Planted(scores, seeds=range(5), roles=dict.fromkeys(controls, "control")))
        moved = [guard.row for guard in analysis.guards if guard.kind == "control moved"]
        assert (moved, analysis.winner) == ((["c7"], None) if leak else ([], "p"))


def test_max_t_stands_beside_holm_from_eight_seeds_on():
    for seeds, shown in ((7, False), (8, True)):
        base = around(0.4, 0.01, seeds=seeds)
        analysis = run(Planted({BASELINE: base, "p": shifted(base, 0.02)}, seeds=range(seeds)))
        assert (analysis.row("p").gain.p_max_t is not None) is shown


def test_the_gap_is_measured_to_the_best_reference():
    analysis = run(typical())
    assert analysis.target == "resnet"
    assert analysis.row("tokens").gap.share == pytest.approx(0.5)
    assert analysis.row("resnet").gap.blank == "the reference itself"
    assert analysis.row("glm").gap.blank == "a reference"


def test_the_answer_names_winner_gain_certainty_gap_and_cost():
    assert run(typical()).headline == (
        "Which patch helps? tokens+blur helps most surely: +6.0 % [+5.1, +6.9] bits/spike over the baseline "
        "(95 %, 3 paired seeds), 60 % of the gap to resnet, for +50 % parameters and x2.5 FLOPs; not confirmed yet."
    )


def test_the_same_records_in_any_order_give_the_same_analysis():
    planted = typical()
    records = list(planted.records())
    first = analyse(planted.manifest(), records)
    for seed in range(3):
        random.Random(seed).shuffle(records)
        assert analyse(planted.manifest(), records) == first


def test_a_study_under_way_is_analysed_with_the_pairs_there_are():
    base = around(0.4, 0.01)
    scores = {BASELINE: base, "half": dict(list(shifted(base, 0.02).items())[:2]), "none": {}}
    analysis = run(Planted(scores))
    assert (analysis.row("half").gain.seeds, analysis.row("half").finite) == ((0, 1), "2/3")
    assert (analysis.row("none").verdict, analysis.row("none").verdict_note) == ("no evidence", "not run yet")
    assert analysis.answer.startswith("So far (5 of 9 runs): ")


def test_nothing_run_yet_is_no_error():
    analysis = run(Planted({BASELINE: {}, "p": {}}))
    assert analysis.answer == "So far (0 of 6 runs): no answer yet, for no run of the baseline has ended with a score."
    assert analysis.row("p").gain is None


def test_a_plan_without_a_baseline_is_refused():
    with pytest.raises(AblateError, match="names no baseline"):
        run(Planted({"p": {0: 0.4}}))


def test_a_rehearsal_says_that_its_numbers_are_not_results():
    analysis = run(typical(manifest_fields={"rehearsal": True}))
    assert analysis.answer.startswith("Rehearsal: a few steps on little data. These numbers are not results.")
    assert texts(analysis, "rehearsal") == ["Rehearsal: a few steps on little data. These numbers are not results."]


def test_conditional_truth_is_always_told():
    assert texts(run(typical()), "truth")[0].startswith("One-at-a-time gains hold at the baseline's tuning")


def test_changed_expectations_are_shown():
    analysis = run(typical(manifest_fields={"expectation_changes": ("tokens: +3..6 % was +1..2 %",)}))
    assert texts(analysis, "expectation") == [
        "Expectations were changed after the first run: tokens: +3..6 % was +1..2 %",
    ]


def test_a_study_of_labels_has_accuracies_and_its_own_unit():
    planted = typical(metric="bits_per_label", accuracy=0.87)
    analysis = run(planted)
    assert analysis.unit == "bits/label"
    assert "bits/label over the baseline" in analysis.answer
    assert (analysis.row("tokens").accuracy, analysis.attainable_accuracy) == (pytest.approx(0.87), 0.93)


def test_runs_that_left_the_plan_are_counted_and_left_out():
    planted = typical()
    records = planted.records()
    del planted.scores["slow"]
    analysis = analyse(planted.manifest(), records)
    assert "3 runs in this folder no longer belong to the manifest and are left out." in texts(analysis, "info")


def test_units_give_a_second_interval_a_breakdown_and_the_share_that_gained():
    planted = typical()
    values = {name: 0.4 + 0.1 * (name == "tokens") for name in planted.scores}

    def units(key: str) -> dict[str, object]:
        value = [values[key.rsplit("-", 1)[0]] + 0.01 * unit for unit in range(4)]
        return {"sessions": [{"name": "monkey", "entry": [0, 1, 2, 5], "value": value}]}

    row = run(planted, units=units).row("tokens")
    assert row.gain.over_units.low == pytest.approx(0.1)
    assert [unit.unit for unit in row.units] == [0, 1, 2, 5]
    assert row.sessions[0].better == 1.0
    assert run(planted).row("tokens").gain.over_units is None


def test_sessions_are_broken_down_with_intervals_over_seeds():
    base = around(0.4, 0.01)
    sessions = {
        BASELINE: {seed: {"a": value, "b": value} for seed, value in base.items()},
        "p": {seed: {"a": value + 0.04, "b": value} for seed, value in base.items()},
    }
    row = run(Planted({BASELINE: base, "p": shifted(base, 0.02)}, sessions=sessions)).row("p")
    assert [(session.name, round(session.gain, 9)) for session in row.sessions] == [("a", 0.04), ("b", 0.0)]
    assert row.sessions[0].interval.low == pytest.approx(0.04)


def test_learning_curves_are_read_from_the_histories():
    lines = [{"step": 10, "loss": 1.0}, {"step": 20, "validation": 0.1}, {"step": 40, "validation": 0.2}]
    row = run(typical(), history=lambda key: lines).row("tokens")
    assert [(curve.seed, curve.steps, curve.values) for curve in row.curves[:1]] == [(0, (20, 40), (0.1, 0.2))]
    assert len(row.curves) == 3


def test_the_next_step_is_a_plan_that_keeps_its_error_rate():
    """More seeds for the promising rows alone took false verdicts from 2-3 to 6 %."""
    base = around(0.4, 0.01)
    analysis = run(Planted({BASELINE: base, "maybe": shifted(base, 0.01, 0.006)}))
    assert analysis.row("maybe").verdict == "no evidence"
    assert analysis.next_steps == (
        "`ablate run RECIPE --until settled` trains more seeds of the variants whose verdict is open, and errs no "
        "more often for it.",
    )


def test_a_study_that_mixes_runs_of_two_commits_says_so():
    planted = typical()
    made = list(planted.records())
    by = [{"git": {"commit": ("a" if index else "b") * 40, "dirty": False}} for index in range(len(made))]
    records = [record.model_copy(update={"environment": one}) for record, one in zip(made, by, strict=True)]
    said = f"The runs were made by 2 versions of the code (aaaaaaa: {len(made) - 1} runs, bbbbbbb: 1 run)."
    assert said in texts(analyse(planted.manifest(), records), "warning")
    alike = [record.model_copy(update={"environment": by[1]}) for record in made]
    assert not any("versions of the code" in text for text in texts(analyse(planted.manifest(), alike), "warning"))
    assert not any("versions of the code" in text for text in texts(analyse(planted.manifest(), made), "warning"))


def test_the_code_named_is_that_of_the_runs_and_not_of_the_command_that_planned_them():
    """v1_bars named the commit of a later command, and runs of changed files looked like those of their commit."""
    planted = typical()
    git = {"git": {"commit": "c" * 40, "dirty": True}}
    records = [record.model_copy(update={"environment": git}) for record in planted.records()]
    later = {"git": {"commit": "d" * 40, "dirty": False}, "python": "3.12"}
    analysis = analyse(planted.manifest().model_copy(update={"environment": later}), records)
    assert dict(analysis.environment) == {
        "python": "3.12",
        "code of the runs": f"ccccccc with uncommitted changes: {len(records)} runs",
    }
