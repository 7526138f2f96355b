"""The rules that people use, as arrays over studies: planted studies in, a word a row out (1 helps, -1 hurts, 0 none).

A diverged seed is passed over, as their programs do. Bootstraps share one table of resamples over all studies.
"""

from collections.abc import Callable

import numpy as np
from scipy.special import stdtr
from worlds import Planted

from ablate.analysis.statistics.family import holm

RESAMPLES = 1000
CHUNK = 200
"""Studies whose resamples are held at once."""


def above(planted: Planted) -> np.ndarray:
    """Which mean is larger, as a sorted table of a sweep says (Optuna's best trial, W&B's grouped runs)."""
    return np.sign(np.nanmean(planted.scores, axis=-1) - planted.base.mean(axis=-1)[:, None])


def welch(planted: Planted, *, family: bool) -> np.ndarray:
    """Welch's t test of each row against the baseline at .05, with or without Holm over the rows."""
    count = np.isfinite(planted.scores).sum(axis=-1)
    va = np.nanvar(planted.scores, axis=-1, ddof=1) / count
    n = planted.base.shape[-1]
    vb = planted.base.var(axis=-1, ddof=1)[:, None] / n
    t = (np.nanmean(planted.scores, axis=-1) - planted.base.mean(axis=-1)[:, None]) / np.sqrt(va + vb)
    degrees = (va + vb) ** 2 / (va**2 / (count - 1) + vb**2 / (n - 1))
    p = 2 * stdtr(degrees, -np.abs(t))
    return np.where((holm(p) if family else p) <= 0.05, np.sign(t), 0)


def paired_bootstrap(planted: Planted) -> np.ndarray:
    """The 95 % percentile bootstrap interval of the paired gain is clear of zero."""
    weights = resamples(planted.base.shape[-1], 0)

    def words(part: Planted) -> np.ndarray:
        low, high = ends(means(part.scores - part.base[:, None], weights))
        return np.where(low > 0, 1, np.where(high < 0, -1, 0))

    return by_chunks(words, planted)


def intervals_apart(planted: Planted) -> np.ndarray:
    """The 95 % percentile bootstrap intervals of the two means do not overlap, as shaded plots are read."""
    weights = resamples(planted.base.shape[-1], 0)

    def words(part: Planted) -> np.ndarray:
        low, high = ends(means(part.scores, weights))
        base_low, base_high = ends(means(part.base[:, None], weights))
        return np.where(low > base_high, 1, np.where(high < base_low, -1, 0))

    return by_chunks(words, planted)


def probability_of_improvement(planted: Planted) -> np.ndarray:
    """rliable's rule (Agarwal et al. 2021): the 95 % bootstrap interval of P(variant > baseline) is clear of a half.

    Written as arrays, since rliable takes seconds a study; `packages.py` holds it against rliable itself.
    """
    n = planted.base.shape[-1]
    rows, columns = resamples(n, 0), resamples(n, 1)

    def words(part: Planted) -> np.ndarray:
        here = np.isfinite(part.scores).astype(float)
        wins = (part.scores[..., :, None] > part.base[:, None, None, :]).astype(float)  # s m n n
        share = np.einsum("ri,smij,rj->smr", rows, wins, columns) / n
        with np.errstate(invalid="ignore"):  # a resample of diverged seeds alone
            low, high = ends(share / (here @ rows.T))
        return np.where(low > 0.5, 1, np.where(high < 0.5, -1, 0))

    return by_chunks(words, planted)


def resamples(n: int, seed: int) -> np.ndarray:
    """How often each of n seeds is in each resample: (r, n)."""
    drawn = np.random.default_rng(seed).integers(0, n, (RESAMPLES, n))
    return (drawn[..., None] == np.arange(n)).sum(axis=1).astype(float)


def means(scores: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Means of the finite seeds in each resample; NaN where there is none."""
    here = np.isfinite(scores)
    with np.errstate(invalid="ignore"):
        return (np.where(here, scores, 0.0) @ weights.T) / (here @ weights.T)


def ends(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The 2.5 and 97.5 % quantiles over the last axis, NaN passed over."""
    quantile = np.nanquantile if np.isnan(values).any() else np.quantile
    low, high = quantile(values, [0.025, 0.975], axis=-1)
    return low, high


def by_chunks(words: Callable[[Planted], np.ndarray], planted: Planted) -> np.ndarray:
    parts = range(0, len(planted.truth), CHUNK)
    return np.concatenate([words(Planted(planted.plan, *(a[i : i + CHUNK] for a in planted[1:]))) for i in parts])
