"""Fieller's interval of a relative gain: coverage, and agreement with the verdict."""

import numpy as np
import pytest

from ablate.analysis.statistics.gain import absolute_interval, difference, gain, relative_interval
from ablate.analysis.statistics.moderated import OWN, Prior

ROWS = 8


def study(generator, true: float, seeds: int, shared: float):
    """Score tables of a baseline (mean 1, sd .05) and of rows, half of which gain `true`; `shared` of the variance is
    the seed's own and the rows' noise differs (log-sd .4)."""
    common = np.sqrt(shared) * generator.standard_normal(seeds)
    baseline = 1 + 0.05 * (common + np.sqrt(1 - shared) * generator.standard_normal(seeds))
    rows = []
    for row in range(ROWS):
        noise = np.exp(generator.normal(0, 0.4)) * np.sqrt(1 - shared) * generator.standard_normal(seeds)
        rows.append(1 + (true if row < ROWS // 2 else 0) + 0.05 * (common + noise))
    return dict(enumerate(baseline)), [dict(enumerate(row)) for row in rows]


def coverage(true: float, seeds: int, shared: float, *, moderated: bool, studies: int) -> float:
    generator = np.random.default_rng(int(1000 * true) + seeds)
    inside = []
    for _ in range(studies):
        baseline, rows = study(generator, true, seeds, shared)
        items = [difference(row, baseline) for row in rows]
        variances = [float(np.var(item.differences, ddof=1)) for item in items]
        prior = Prior.of(variances, [seeds - 1.0] * ROWS) if moderated else OWN
        for item in items[: ROWS // 2]:
            interval = gain(item, prior=prior).relative_interval
            inside.append(interval.low <= true <= interval.high)
    return float(np.mean(inside))


@pytest.mark.parametrize("seeds", [3, 5, 10])
@pytest.mark.parametrize("true", [0.05, 0.5, 1.0])
def test_the_relative_interval_covers_the_true_ratio_in_95_percent_of_studies(true, seeds):
    assert 0.93 <= coverage(true, seeds, 0.0, moderated=False, studies=500) <= 0.97


@pytest.mark.slow
@pytest.mark.parametrize("shared", [0.0, 0.7])
@pytest.mark.parametrize("seeds", [3, 5, 10])
@pytest.mark.parametrize("true", [0.05, 0.5, 1.0])
def test_with_moderated_variance_it_covers_as_well(true, seeds, shared):
    assert 0.925 <= coverage(true, seeds, shared, moderated=True, studies=2000) <= 0.985


@pytest.mark.parametrize("true", [0.05, 1.0])
def test_with_moderated_variance_and_three_seeds_it_covers_too(true):
    assert 0.92 <= coverage(true, 3, 0.0, moderated=True, studies=400) <= 0.98


def test_an_interval_that_takes_the_baseline_as_fixed_would_not_cover_a_gain_of_100_percent():
    generator = np.random.default_rng(1)
    inside = []
    for _ in range(1500):
        baseline, rows = study(generator, 1.0, 5, 0.0)
        found = gain(difference(rows[0], baseline))
        base = np.mean(found.baseline)
        inside.append(found.interval.low / base <= 1.0 <= found.interval.high / base)
    assert np.mean(inside) < 0.9


@pytest.mark.parametrize("prior", [OWN, Prior(0.002, 2.0, 10), Prior(1e-6, 1.3, 10)])
def test_absolute_and_relative_interval_are_clear_of_zero_together_at_every_level(prior):
    generator = np.random.default_rng(2)
    for _ in range(300):
        baseline, rows = study(generator, 0.08, int(generator.integers(2, 7)), 0.5)
        found = gain(difference(rows[0], baseline), prior=prior)
        for level in (0.9, 0.95, 0.995):
            ratio = relative_interval(found, level)
            if ratio is not None:
                absolute = absolute_interval(found.mean, found.error, found.degrees, level)
                assert (ratio.low > 0 or ratio.high < 0) == absolute.clear_of(0.0)
                assert ratio.low <= ratio.value <= ratio.high


def test_two_baseline_seeds_that_differ_give_no_percentage_but_a_gain():
    found = gain(difference({0: 0.60, 1: 0.55}, {0: 0.50, 1: 0.42}))
    assert (found.relative, found.relative_interval) == (None, None)
    assert found.mean == pytest.approx(0.115)
    assert found.interval is not None
