"""Correlation, concordance and error of numbers, against scipy and against Lin's definition written out."""

import numpy as np
import pytest
from scipy.stats import pearsonr

from ablate.result.measure.agreement import (
    concordance,
    correlation,
    joined,
    mean_known,
    moments_of,
    root_mean_square_error,
)


def drawn(seed, count=60):
    rng = np.random.default_rng(seed)
    y = rng.normal(5, 2, count)
    return y, 0.6 * y + rng.normal(1, 1, count)


def lin(y, p):
    """Equation 2 of Lin 1989, with covariances divided by n."""
    return 2 * np.cov(y, p, bias=True)[0, 1] / (y.var() + p.var() + (y.mean() - p.mean()) ** 2)


@pytest.mark.parametrize("seed", range(10))
def test_the_figures_are_those_of_scipy_and_of_lins_definition(seed):
    y, p = drawn(seed, 4 if seed % 2 else 60)
    moments = moments_of(y, p)
    assert correlation(moments) == pytest.approx(pearsonr(y, p).statistic)
    assert concordance(moments) == pytest.approx(lin(y, p))
    assert root_mean_square_error(moments) == pytest.approx(np.sqrt(np.mean((y - p) ** 2)))


@pytest.mark.parametrize("shift", [0.0, 2020.0])
def test_moments_of_parts_join_to_those_of_the_whole(shift):
    y, p = drawn(3)
    parts = [moments_of(shift + y[part], shift + p[part]) for part in (slice(0, 7), slice(7, 7), slice(7, 60))]
    whole = moments_of(shift + y, shift + p)
    for name, value in joined(parts).model_dump().items():
        assert value == pytest.approx(getattr(whole, name)), name


def test_another_scale_or_mean_lowers_concordance_alone():
    y, _ = drawn(0)
    assert concordance(moments_of(y, y)) == pytest.approx(1)
    assert correlation(moments_of(y, 3 * y + 7)) == pytest.approx(1)
    assert 0 < concordance(moments_of(y, 3 * y + 7)) < 0.5


def test_a_constant_prediction_agrees_in_nothing_and_constant_numbers_have_no_figure():
    y, _ = drawn(0)
    for constant in (0.0, y.mean(), 1e9):
        moments = moments_of(y, np.full_like(y, constant))
        assert (correlation(moments), concordance(moments)) == (0.0, pytest.approx(0.0))
    assert correlation(moments_of(np.full(5, 3.3), y[:5])) is None
    assert concordance(moments_of(np.full(5, 3.3), y[:5])) is None
    assert root_mean_square_error(moments_of([], [])) is None
    assert mean_known([None, 0.2, 0.4]) == pytest.approx(0.3)
    assert mean_known([None]) is None
