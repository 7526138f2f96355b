"""Ladders, interactions, Shapley values, data efficiency, expectations."""

from itertools import combinations, permutations

import numpy as np
import pytest
from planted import BASELINE, Planted, around, shifted, typical

from ablate.analysis.beside.attribution import full_factorial, shapley_weights
from ablate.analysis.outcome import CostSummary, Gain, Interval, StudyAnalysis
from ablate.analysis.row.expectation import score_costs, score_gain
from ablate.analysis.study import analyse


def run(planted: Planted) -> StudyAnalysis:
    return analyse(planted.manifest(), planted.records())


def factorial(effects: dict[str, float], interactions: dict[tuple[str, str], float], seeds: int = 5) -> Planted:
    """A full factorial over the patches; pairs may add to or take from the sum."""
    base = around(0.4, 0.01, seeds=seeds)
    scores = {BASELINE: base}
    for size in range(1, len(effects) + 1):
        for chosen in combinations(effects, size):
            value = sum(effects[name] for name in chosen)
            value += sum(extra for pair, extra in interactions.items() if set(pair) <= set(chosen))
            scores["+".join(chosen)] = shifted(base, value, 0.0005, salt=len(scores))
    return Planted(scores, seeds=range(seeds))


def test_redundant_and_synergistic_pairs_are_named():
    planted = factorial({"a": 0.02, "b": 0.02, "c": 0.0, "d": 0.0}, {("a", "b"): -0.02, ("c", "d"): 0.02})
    analysis = run(planted)
    named = {(pair.first, pair.second): pair.interplay for pair in analysis.attribution.pairs}
    assert named == {
        ("a", "b"): "redundant",
        ("c", "d"): "synergistic",
        ("a", "c"): "no evidence",
        ("a", "d"): "no evidence",
        ("b", "c"): "no evidence",
        ("b", "d"): "no evidence",
    }
    told = [note.text for note in analysis.notes if note.kind == "info"]
    assert any(text.startswith("a and b are redundant: together less than the sum of both by -0.0") for text in told)
    assert any(text.startswith("c and d are synergistic: together more than the sum of both by +0.0") for text in told)


def test_a_patch_alone_and_added_last_differ_when_another_does_its_work():
    analysis = run(factorial({"a": 0.02, "b": 0.02}, {("a", "b"): -0.02}))
    found = {item.patch: item for item in analysis.attribution.alone_or_last}
    assert found["a"].full == "a+b"
    assert found["a"].alone.mean == pytest.approx(0.02, abs=0.001)
    assert found["a"].last.mean == pytest.approx(0.0, abs=0.001)
    assert found["a"].change.interval.high < 0


def test_shapley_values_equal_the_average_over_all_orders_of_adding():
    planted = factorial({"a": 0.02, "b": 0.01, "c": -0.01}, {("a", "b"): -0.01, ("b", "c"): 0.02})
    analysis = run(planted)
    value = {frozenset(name.split("+")): np.mean(list(runs.values())) for name, runs in planted.scores.items()}
    value[frozenset()] = value.pop(frozenset({BASELINE}))
    brute = dict.fromkeys("abc", 0.0)
    for order in permutations("abc"):
        for place, patch in enumerate(order):
            brute[patch] += (value[frozenset(order[: place + 1])] - value[frozenset(order[:place])]) / 6
    assert {share.patch: share.effect.mean for share in analysis.attribution.shapley} == pytest.approx(brute)
    whole = analysis.row("a+b+c").gain.mean
    assert sum(share.effect.mean for share in analysis.attribution.shapley) == pytest.approx(whole)


def test_shapley_weights_of_five_patches_take_all_subsets_and_sum_to_zero():
    weights = shapley_weights("abcde", "c")
    assert len(weights) == 32
    assert sum(weights.values()) == pytest.approx(0)
    assert sum(weight for part, weight in weights.items() if "c" in part) == pytest.approx(1)


def test_the_largest_full_factorial_is_found_and_a_missing_cell_breaks_it():
    subsets = {frozenset(part) for size in range(4) for part in combinations("abc", size)}
    assert full_factorial(dict.fromkeys(sorted(subsets, key=sorted))) == ("a", "b", "c")
    subsets.remove(frozenset("bc"))
    assert full_factorial(dict.fromkeys(sorted(subsets, key=sorted))) == ("a", "b")
    assert full_factorial({frozenset(): None, frozenset("a"): None}) == ()


def test_a_ladder_tells_each_rungs_own_step_and_its_share_of_the_gap():
    (ladder,) = run(typical()).attribution.ladders
    assert [rung.variant for rung in ladder] == ["tokens", "tokens+blur"]
    assert [round(rung.step.mean, 6) for rung in ladder] == [0.02, 0.004]
    assert [round(rung.gap.share, 6) for rung in ladder] == [0.5, 0.6]


def test_data_efficiency_pairs_each_fraction_with_the_baseline_at_that_fraction():
    whole, half = around(0.40, 0.01), around(0.30, 0.01, salt=1)
    entries = {
        "half": {"differences": {"data.fraction": (1.0, 0.5)}},
        "p": {"differences": {"baseline.core.width": (1, 2)}},
        "p+half": {"differences": {"baseline.core.width": (1, 2), "data.fraction": (1.0, 0.5)}},
    }
    scores = {BASELINE: whole, "half": half, "p": shifted(whole, 0.02), "p+half": shifted(half, 0.05)}
    baseline, patch = run(Planted(scores, entries=entries)).efficiency
    assert (baseline.name, [point.fraction for point in baseline.points]) == (BASELINE, [0.5, 1.0])
    assert (patch.name, [round(point.gain.mean, 6) for point in patch.points]) == ("p", [0.05, 0.02])
    assert all(point.gain is None for point in baseline.points)


def test_studies_without_fractions_have_no_efficiency_curves():
    assert run(typical()).efficiency == ()


def relative(mean: float, low: float, high: float) -> Gain:
    return Gain((0, 1, 2), (mean,) * 3, mean, relative=mean, judged_relative=Interval(low, high))


@pytest.mark.parametrize(
    ("gain", "expect", "outcome"),
    [
        (relative(0.04, 0.02, 0.06), (0.03, 0.05), "met"),
        (relative(0.04, -0.01, 0.09), (0.03, 0.05), "undecided"),  # in the range, but zero is as well
        (relative(0.08, 0.06, 0.10), (0.03, 0.05), "above"),
        (relative(0.01, 0.00, 0.02), (0.03, 0.05), "below"),
        (relative(0.06, 0.04, 0.08), (0.03, 0.05), "undecided"),
        (relative(0.00, -0.005, 0.005), (-0.01, 0.01), "met"),
        (relative(0.00, -0.02, 0.02), (-0.01, 0.01), "undecided"),
        (relative(-0.04, -0.06, -0.02), (-0.05, -0.03), "met"),
        (Gain((0,), (0.04,), 0.04, relative=0.04), (0.03, 0.05), "undecided"),
        (None, (0.03, 0.05), "undecided"),
    ],
)
def test_a_prediction_is_met_below_above_or_undecided(gain, expect, outcome):
    assert score_gain(expect, gain).outcome == outcome


def test_expected_costs_are_ratios_to_the_baseline_within_ten_percent():
    cost = CostSummary(parameters_ratio=0.63, flops_ratio=2.6)
    found = {item.name: item.outcome for item in score_costs({"parameters": 0.65, "flops": 2.0, "seconds": 1.5}, cost)}
    assert found == {"parameters": "met", "flops": "above", "seconds": "undecided"}
    assert score_gain(None, relative(0.1, 0.0, 0.2)) is None
