"""Two one-sided tests against +-worth."""

import numpy as np
import pytest
from scipy import stats

from ablate.analysis.statistics.gain import difference, gain, relative_interval
from ablate.analysis.statistics.moderated import OWN, Prior
from ablate.analysis.statistics.negligible import p_negligible


def of(differences, baseline, prior=OWN):
    base = dict(enumerate(baseline))
    return gain(difference({seed: base[seed] + d for seed, d in enumerate(differences)}, base), prior=prior)


def test_p_is_that_of_scipys_two_one_sided_t_tests_of_the_linear_combinations():
    generator = np.random.default_rng(0)
    for _ in range(50):
        baseline, d = generator.normal(1, 0.05, 6), generator.normal(0, 0.01, 6)
        if np.cov(d, baseline)[0, 1] == 0:
            continue
        found = p_negligible(of(d, baseline), 0.03)
        if abs(d.mean()) >= 0.03 * baseline.mean():
            assert found == 1
            continue
        exact = max(
            stats.ttest_1samp(d + 0.03 * baseline, 0, alternative="greater").pvalue,
            stats.ttest_1samp(d - 0.03 * baseline, 0, alternative="less").pvalue,
        )
        assert found >= exact * (1 - 1e-9)  # never more sure than the plain test
        assert found <= 1.6 * exact + 1e-3


def test_it_is_five_percent_where_the_ninety_percent_interval_just_reaches_what_is_worth_having():
    found = of([0.010, 0.004, 0.016, 0.008], [1.02, 0.98, 1.01, 0.99], Prior(4e-5, 2.0, 10))
    ratio = relative_interval(found, 0.90)
    assert p_negligible(found, ratio.high) == pytest.approx(0.05, abs=0.005)


def test_a_gain_of_what_is_worth_having_is_called_negligible_in_at_most_five_percent_of_studies():
    generator = np.random.default_rng(1)
    called = [
        p_negligible(of(generator.normal(0.03, 0.01, 5), generator.normal(1, 0.02, 5)), 0.03) <= 0.05
        for _ in range(2000)
    ]
    assert np.mean(called) <= 0.06


def test_nothing_is_negligible_beside_a_baseline_at_or_below_zero():
    assert p_negligible(of([0.0, 0.001, -0.001], [-0.1, -0.1, -0.2]), 0.03) == 1
