"""Fieller's interval of the gap closed."""

import numpy as np
import pytest

from ablate.analysis.statistics.fieller import fieller
from ablate.analysis.statistics.gain import means_of, t_quantile
from ablate.analysis.statistics.gap import gap_closed


def test_fieller_covers_the_true_share_in_95_percent_of_simulated_studies():
    generator = np.random.default_rng(0)
    covered = []
    for _ in range(3000):
        shared = generator.normal(0, 0.004, 5)  # the baseline's seeds sit in both differences
        gain, gap = 0.02 + shared + generator.normal(0, 0.003, 5), 0.04 + shared + generator.normal(0, 0.003, 5)
        ratio = fieller(means_of(gain, gap), t_quantile(len(gain) - 1))
        if ratio is not None:
            covered.append(ratio.low <= 0.5 <= ratio.high)
    assert len(covered) > 2900
    assert np.mean(covered) == pytest.approx(0.95, abs=0.015)


def test_the_ends_of_the_interval_are_the_shares_that_the_t_test_just_rejects():
    generator = np.random.default_rng(1)
    gain, gap = generator.normal(0.02, 0.005, 6), generator.normal(0.04, 0.004, 6)
    ratio = fieller(means_of(gain, gap), t_quantile(len(gain) - 1))
    for end in (ratio.low, ratio.high):
        rest = gain - end * gap
        assert abs(rest.mean()) / (rest.std(ddof=1) / np.sqrt(6)) == pytest.approx(t_quantile(5))


def test_the_share_is_blank_when_the_gap_is_not_clear_of_zero():
    baseline = {0: 0.40, 1: 0.42, 2: 0.38}
    noisy = {0: 0.45, 1: 0.41, 2: 0.41}
    assert gap_closed(noisy, baseline, noisy).blank == "the gap is not clear of zero"
    assert gap_closed(noisy, baseline, noisy).share is None


def test_the_share_is_blank_without_a_gap_to_close_and_with_one_seed():
    baseline = {0: 0.40, 1: 0.42}
    assert gap_closed(baseline, baseline, {0: 0.30, 1: 0.33}).blank == "the reference is not above the baseline"
    assert gap_closed({0: 0.41}, baseline, {0: 0.45}).blank == "1 seed: the gap cannot be told from zero"
    assert gap_closed({5: 0.41}, baseline, {0: 0.45}).blank == "no shared seed"


def test_a_gap_without_any_spread_gives_the_plain_ratio():
    ratio = fieller(means_of(np.array([0.01, 0.01, 0.01]), np.array([0.04, 0.04, 0.04])), t_quantile(2))
    assert ratio == pytest.approx((0.25, 0.25, 0.25))
