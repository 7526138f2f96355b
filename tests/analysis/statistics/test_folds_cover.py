"""Coverage of the interval over subjects and over folds, on planted data with subject effects, simulated as arrays.

A linear model (ridge, closed form) learns y = x (w + b_subject) + noise from the folds' training sets, the baseline
predicts nothing; the gain of a trial is its Gaussian log-likelihood ratio in bits. The truth is the mean over all
simulated data sets, so the draw of subjects, trials and training sets all count.
"""

import numpy as np
import pytest
from scipy.stats import t as student

from ablate.analysis.folds import _widened

DATA_SETS = 4000


def planted(rng, subjects, trials, features, effect):
    """x (R, s, n, p), y (R, s, n) of so many data sets."""
    weights = 0.3 + effect * rng.standard_normal((DATA_SETS, subjects, features))
    x = rng.standard_normal((DATA_SETS, subjects, trials, features))
    return x, np.einsum("rsnp,rsp->rsn", x, weights) + rng.standard_normal((DATA_SETS, subjects, trials))


def gains_by_fold(x, y):
    """x (R, f, n, p) of folds: each is scored by the ridge of all others; (R, f) bits a trial."""
    squares, products = np.einsum("rfnp,rfnq->rfpq", x, x), np.einsum("rfnp,rfn->rfp", x, y)
    others = squares.sum(1, keepdims=True) - squares + np.eye(x.shape[-1])
    weights = np.linalg.solve(others, (products.sum(1, keepdims=True) - products)[..., None])[..., 0]
    said = np.einsum("rfnp,rfp->rfn", x, weights)
    return ((y**2 - (y - said) ** 2) / 2 / np.log(2)).mean(axis=-1)


def coverage(folds, overlap):
    """Share of the data sets whose interval, made as the program makes it, holds the mean gain."""
    widened = np.array([_widened(row, overlap) for row in folds])
    count = folds.shape[1]
    half = student.ppf(0.975, count - 1) * widened.std(axis=1, ddof=1) / np.sqrt(count)
    assert np.allclose(widened.mean(axis=1), folds.mean(axis=1))
    return float((np.abs(folds.mean(axis=1) - folds.mean()) <= half).mean())


@pytest.mark.slow
@pytest.mark.parametrize(
    ("subjects", "trials", "features", "effect"), [(10, 40, 8, 0.4), (12, 40, 8, 0.4), (20, 10, 8, 0.1)]
)
def test_leave_one_subject_out_covers_95_percent_over_subjects(subjects, trials, features, effect):
    x, y = planted(np.random.default_rng(subjects), subjects, trials, features, effect)
    folds = gains_by_fold(x, y)
    assert 0.93 <= coverage(folds, 0.0) <= 0.97
    assert coverage(folds, 1 / (subjects - 1)) > 0.97  # the correction would be too wide: subjects are drawn anew


@pytest.mark.slow
def test_few_subjects_with_skewed_gains_are_covered_a_little_less():
    """Gains of a model of four features are no normal deviates; eight of them make a t interval of 92 to 93 %."""
    x, y = planted(np.random.default_rng(8), 8, 20, 4, 0.2)
    assert 0.92 <= coverage(gains_by_fold(x, y), 0.0) <= 0.95


@pytest.mark.slow
@pytest.mark.parametrize(
    ("folds", "subjects", "trials", "features", "effect"), [(5, 4, 40, 4, 0.2), (5, 8, 20, 8, 0.4)]
)
def test_folds_over_trials_cover_95_percent_only_with_the_correction(folds, subjects, trials, features, effect):
    x, y = planted(np.random.default_rng(folds), subjects, trials, features, effect)
    x = x.reshape(DATA_SETS, subjects, folds, -1, features).swapaxes(1, 2).reshape(DATA_SETS, folds, -1, features)
    y = y.reshape(DATA_SETS, subjects, folds, -1).swapaxes(1, 2).reshape(DATA_SETS, folds, -1)
    by_fold = gains_by_fold(x, y)
    assert coverage(by_fold, 0.0) < 0.88  # the same subjects move all folds together
    assert 0.93 <= coverage(by_fold, 1 / (folds - 1)) <= 0.97
