"""The share of the gap to a reference that a variant closes, with Fieller's interval.

    share = mean(variant - baseline) / mean(reference - baseline)       both paired by seed

The interval holds every share r for which mean(gain - r gap) is within t(0.975, n - 1) standard errors of zero
(Fieller 1954). It is bounded only when the gap itself is clear of zero (g = t^2 var(gap) / gap^2 < 1); otherwise the
share is left blank.
"""

import math
from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from ablate.analysis.outcome import GapClosed, Interval
from ablate.analysis.statistics.gain import t_quantile


class Ratio(NamedTuple):
    """A ratio of two means with its interval."""

    value: float
    low: float
    high: float


def fieller(numerator: np.ndarray, denominator: np.ndarray) -> Ratio | None:
    """Ratio of the means of two paired samples; None when the denominator's mean is not clear of zero (or n < 2)."""
    n = len(numerator)
    if n < 2:
        return None
    a, b = float(numerator.mean()), float(denominator.mean())
    covariance = np.cov(numerator, denominator, ddof=1) / n
    va, vb, cab = float(covariance[0, 0]), float(covariance[1, 1]), float(covariance[0, 1])
    t = t_quantile(n - 1)
    if b == 0 or t * t * vb >= b * b:
        return None
    g = t * t * vb / (b * b)
    ratio = a / b
    # roots of b^2 (1-g) r^2 - 2 (ab - t^2 cab) r + a^2 - t^2 va = 0
    middle = (ratio - t * t * cab / (b * b)) / (1 - g)
    radicand = max(middle * middle - (a * a - t * t * va) / (b * b * (1 - g)), 0.0)
    half = math.sqrt(radicand)
    return Ratio(ratio, middle - half, middle + half)


def gap_closed(
    variant: Mapping[int, float], baseline: Mapping[int, float], reference: Mapping[int, float]
) -> GapClosed:
    """Over the seeds that all three finished; blank, with the reason, where it would mean nothing."""
    seeds = sorted(set(variant) & set(baseline) & set(reference))
    if not seeds:
        return GapClosed(blank="no shared seed")
    if len(seeds) == 1:
        return GapClosed(blank="1 seed: the gap cannot be told from zero")
    gain = np.array([variant[seed] - baseline[seed] for seed in seeds])
    gap = np.array([reference[seed] - baseline[seed] for seed in seeds])
    if gap.mean() <= 0:
        return GapClosed(blank="the reference is not above the baseline")
    ratio = fieller(gain, gap)
    if ratio is None:
        return GapClosed(blank="the gap is not clear of zero")
    return GapClosed(ratio.value, Interval(ratio.low, ratio.high))
