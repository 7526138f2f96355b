"""Gains and their intervals against scipy and against simulated studies."""

import numpy as np
import pytest
from scipy import stats

from ablate.analysis.statistics.gain import contrast, difference, estimate, gain, gains, paired_t


def test_p_and_interval_are_those_of_a_paired_t_test():
    generator = np.random.default_rng(0)
    baseline, variant = generator.normal(0.4, 0.02, 7), generator.normal(0.42, 0.02, 7)
    found = gain(difference(dict(enumerate(variant)), dict(enumerate(baseline))))
    expected = stats.ttest_rel(variant, baseline)
    low, high = expected.confidence_interval(0.95)
    assert found.p == pytest.approx(expected.pvalue)
    assert (found.interval.low, found.interval.high) == pytest.approx((low, high))


@pytest.mark.parametrize("seeds", [3, 5, 10])
def test_the_interval_covers_the_true_gain_in_95_percent_of_2000_studies(seeds):
    generator = np.random.default_rng(seeds)
    shared = generator.normal(0, 0.02, (2000, seeds))  # what a seed does to both variants
    baseline = 0.4 + shared + generator.normal(0, 0.01, (2000, seeds))
    variant = 0.42 + shared + generator.normal(0, 0.015, (2000, seeds))
    result = paired_t(variant - baseline)
    coverage = np.mean(np.abs(result.mean - 0.02) <= result.half_width)
    assert 0.93 <= coverage <= 0.97


def test_a_percentile_bootstrap_of_three_seeds_would_not_have_covered():
    """Why the interval is a t interval: the bootstrap's nominal 95 % is about 73 %."""
    generator = np.random.default_rng(1)
    differences = generator.normal(0.02, 0.01, (500, 3))
    draws = differences[:, generator.integers(0, 3, (1000, 3))].mean(axis=2)
    low, high = np.quantile(draws, [0.025, 0.975], axis=1)
    assert np.mean((low <= 0.02) & (high >= 0.02)) < 0.8


def test_the_relative_interval_is_clear_of_zero_exactly_when_the_absolute_one_is():
    generator = np.random.default_rng(2)
    for _ in range(200):
        found = gain(
            difference(
                dict(enumerate(generator.normal(0.41, 0.02, 4))), dict(enumerate(generator.normal(0.4, 0.02, 4)))
            )
        )
        assert found.interval.clear_of(0.0) == found.relative_interval.clear_of(0.0)


def test_relative_gain_is_over_the_baselines_mean_of_the_same_seeds():
    found = gain(difference({0: 0.44, 1: 0.46, 7: 9.0}, {0: 0.40, 1: 0.40, 2: 5.0}))
    assert found.seeds == (0, 1)
    assert found.relative == pytest.approx(0.05 / 0.40)


def test_one_seed_has_a_gain_but_no_interval_and_none_has_no_gain():
    found = gain(difference({3: 0.44}, {3: 0.40}))
    assert (found.mean, found.interval, found.p) == (pytest.approx(0.04), None, None)
    assert gain(difference({3: 0.44}, {4: 0.40})) is None
    assert estimate([]) is None
    assert estimate([0.5]).interval is None


def test_an_exact_copy_of_the_baseline_has_p_one_and_an_empty_interval():
    scores = {0: 0.40, 1: 0.41, 2: 0.43}
    found = gain(difference(scores, scores))
    assert (found.mean, found.p, found.interval.low, found.interval.high) == (0, 1, 0, 0)


def test_many_gains_at_once_equal_each_alone():
    generator = np.random.default_rng(3)
    items = [
        difference(dict(enumerate(generator.normal(size=n))), dict(enumerate(generator.normal(size=n) + 2)))
        for n in (1, 3, 3, 5, 2, 3)
    ]
    assert gains(items) == [gain(item) for item in items]


def test_a_baseline_at_or_below_zero_is_no_denominator():
    assert gain(difference({0: 0.1, 1: 0.1}, {0: -0.1, 1: -0.2})).relative is None


def test_a_contrast_takes_only_the_seeds_that_all_its_terms_have():
    item = contrast([(1.0, {0: 3.0, 1: 4.0}), (-2.0, {1: 1.0, 2: 1.0})], {0: 0.5, 1: 0.6, 2: 0.7})
    assert (item.seeds, item.differences, item.baseline) == ((1,), (2.0,), (0.6,))
