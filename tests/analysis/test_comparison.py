"""Two studies side by side: matching, what differs, and the difference of gains against scipy's Welch test."""

from dataclasses import replace

import pytest
from planted import BASELINE, Planted, around, shifted, typical
from scipy import stats

from ablate.analysis.comparison import Comparison, Side, compare, differences, flat
from ablate.analysis.statistics.change import gain_change
from ablate.analysis.study import analyse


def side(planted: Planted, config: dict | None = None) -> Side:
    return Side(analyse(planted.manifest(), planted.records()), config or {}, {})


def pair(gain: float, *, seeds: int = 3, level: float = 0.4, salt: int = 0) -> Planted:
    base = around(level, 0.01, seeds=seeds, salt=salt)
    return Planted({BASELINE: base, "tokens": shifted(base, gain, 0.004, salt=salt + 1)}, seeds=range(seeds))


def compared(first: Planted, second: Planted) -> Comparison:
    return compare(side(first), side(second))


def test_the_difference_of_gains_is_welchs() -> None:
    one, two = (side(planted).analysis.row("tokens").gain for planted in (pair(0.02), pair(0.05, seeds=5, salt=9)))
    assert one is not None
    assert two is not None
    absolute = [replace(gain, relative=None, relative_interval=None) for gain in (one, two)]
    change = gain_change(*absolute)
    assert change is not None
    assert change.interval is not None
    expected = stats.ttest_ind(two.by_seed, one.by_seed, equal_var=False).confidence_interval(0.95)
    assert change.mean == pytest.approx(0.03)
    assert (change.interval.low, change.interval.high) == pytest.approx((expected.low, expected.high))


def test_gains_are_compared_as_shares_of_their_own_baselines() -> None:
    shared = compared(pair(0.02, level=0.4), pair(0.04, level=0.8)).shared
    change = next(one.change for one in shared if one.name == "tokens")
    assert change is not None
    assert change.relative
    assert change.mean == pytest.approx(0.0, abs=1e-12)
    assert not change.clear


def test_one_seed_gives_no_interval() -> None:
    change = compared(pair(0.02), pair(0.02, seeds=1)).shared[0].change
    assert change is not None
    assert change.interval is None
    assert not change.clear


def test_baselines_are_matched_whatever_they_are_called_and_the_rest_by_name_or_alias() -> None:
    base = around(0.4, 0.01)
    first = Planted({BASELINE: base, "tokens": shifted(base, 0.02), "blur": shifted(base, 0.0)})
    second = Planted(
        {"vivit": base, "p1": shifted(base, 0.02), "wide": shifted(base, 0.0)},
        roles={"vivit": "baseline"},
        entries={"p1": {"aliases": ("tokens",)}},
    )
    found = compared(first, second)
    assert {(one.first.name, one.second.name) for one in found.shared} == {(BASELINE, "vivit"), ("tokens", "p1")}
    assert (found.only_first, found.only_second) == (("blur",), ("wide",))


def test_configurations_are_told_by_their_leaves_and_data_apart() -> None:
    one = {"training": {"steps": 100, "ema": 0.97}, "data": {"window": 48}}
    two = {"training": {"steps": 200, "ema": 0.97}, "data": {"window": 32}, "model": {"type": "glm"}}
    found = compare(side(typical(), one), side(typical(), two))
    assert [(one.path, one.first, one.second) for one in found.configuration] == [
        ("training.steps", "100", "200"),
        ("model.type", None, "glm"),
    ]
    assert [one.path for one in found.data] == ["data.window"]


def test_other_bins_another_metric_and_rehearsals_are_told() -> None:
    other = pair(0.02)
    other.hashes = dict.fromkeys(other.scores, "others")
    assert any("other bins" in note for note in compared(pair(0.02), other).notes)
    labels = pair(0.02)
    labels.metric = "bits_per_label"
    assert any("other units (bits/spike, bits/label)" in note for note in compared(pair(0.02), labels).notes)
    rehearsed = pair(0.02)
    rehearsed.manifest_fields = {"rehearsal": True}
    assert any("is a rehearsal" in note for note in compared(pair(0.02), rehearsed).notes)
    assert compared(pair(0.02), pair(0.02)).notes == ()


def test_flat_keeps_lists_as_values() -> None:
    assert flat({"a": {"b": [1, 2]}, "c": "x"}) == {"a.b": "[1, 2]", "c": "x"}
    assert differences({"a": [1]}, {"a": [1]}) == ()
