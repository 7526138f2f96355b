"""Many patches, one study: p values adjusted so that a family of null patches yields a "winner" in at most 5 % of
studies.

    Holm (1979): sort p ascending; adjusted p_(i) = max over j <= i of min(1, (m - j + 1) p_(j)).
    max-T (Westfall & Young 1993): flip the signs of whole seeds together, share of flips whose largest |t| reaches
    |t_i|.

Holm decides the verdict at every number of seeds. The sign-flip test assumes no normal distribution and keeps the
dependence that a shared baseline causes, but it cannot reach 0.05 below 6 seeds, so it is shown beside Holm from 8
seeds on.
"""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float
from numpy import ndarray

MAX_T_SEEDS = 8
ENUMERATED_SEEDS = 14
RANDOM_FLIPS = 8192
TOGETHER = 250_000
"""Signs, or values of t, held in memory at a time: what fits the cache."""


def holm(p: Float[ndarray, "... m"]) -> Float[ndarray, "... m"]:
    """Holm's step-down adjusted p values over the last axis."""
    order = np.argsort(p, axis=-1, kind="stable")
    factors = np.arange(p.shape[-1], 0, -1)
    stepped = np.minimum(np.take_along_axis(p, order, axis=-1) * factors, 1.0)
    adjusted = np.empty_like(stepped)
    np.put_along_axis(adjusted, order, np.maximum.accumulate(stepped, axis=-1), axis=-1)
    return adjusted


def holm_factors(p: Float[ndarray, " m"], alpha: float = 0.05) -> Float[ndarray, " m"]:
    """What alpha is divided by for each p: m for the smallest, one less for each next that is rejected, and for all
    that are not rejected what the first of them was tested at.

    p <= alpha / factor exactly where Holm rejects.
    """
    order = np.argsort(p, kind="stable")
    steps = np.arange(len(p), 0, -1)
    rejected = int(np.logical_and.accumulate(p[order] <= alpha / steps).sum())
    factors = np.empty(len(p))
    factors[order] = np.maximum(steps, len(p) - rejected) if rejected < len(p) else steps
    return factors


def sign_flips(seeds: int) -> Iterator[Float[ndarray, "f n"]]:
    """All sign patterns up to a common sign (|t| does not see it), or a fixed random set of them for many seeds.

    In blocks: of 5,000 seeds all patterns together are 330 MB. The first pattern is the observed one, so no p value is
    ever zero.
    """
    if seeds <= ENUMERATED_SEEDS:
        codes = np.arange(2 ** (seeds - 1))
        yield 1.0 - 2.0 * (codes[:, None] >> np.arange(seeds) & 1)
        return
    generator = np.random.default_rng(seeds)
    block = max(1, TOGETHER // seeds)
    for start in range(0, RANDOM_FLIPS, block):
        flips = generator.integers(0, 2, (min(block, RANDOM_FLIPS - start), seeds)) * 2.0 - 1.0
        if start == 0:
            flips[0] = 1.0
        yield flips


def max_t(differences: Float[ndarray, "m n"]) -> Float[ndarray, " m"]:
    """Adjusted p of each of m patches from its differences at n seeds: single-step max-T over sign flips of seeds."""
    n = differences.shape[1]
    squares = (differences**2).sum(axis=1)
    reached, patterns, observed = np.zeros(len(differences)), 0, None
    for flips in sign_flips(n):
        means = flips @ differences.T / n  # f m
        rows = max(1, TOGETHER // len(differences))
        for some in (means[start : start + rows] for start in range(0, len(means), rows)):
            variance = np.maximum(squares - n * some**2, 0.0) / (n - 1)
            with np.errstate(divide="ignore", invalid="ignore"):
                t = np.abs(some) / np.sqrt(variance / n)
            t = np.nan_to_num(t, nan=0.0, posinf=np.inf)  # 0/0: an exact copy of the baseline
            # ties (the observed pattern among them) must count although they were summed in another order
            observed = t[0] * (1 - 1e-9) if observed is None else observed
            reached += (t.max(axis=1, keepdims=True) >= observed).sum(axis=0)
            patterns += len(t)
    return reached / patterns
