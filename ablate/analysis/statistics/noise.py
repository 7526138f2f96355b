"""What the seeds can tell: how well pairing worked, how many seeds a gain would need, the smallest gain that could be
found.

    power(delta, sd, n) = P(|T'_{n-1}(delta sqrt(n) / sd)| > t(1 - alpha/2, n - 1))       T' noncentral t
    seeds needed        = smallest n with power(observed gain, observed sd, n) >= 0.8
    detectable gain     = delta with power(delta, sd, n) = 0.8
    correlation         = corr over seeds of variant and baseline; Var(v - b) = Var(v) + Var(b) - 2 Cov(v, b)

Reference: Cohen 1988, chapter 2. The observed sd of few seeds is itself rough: read these as orders of magnitude.
"""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from scipy.special import nctdtr, nctdtrinc, stdtrit

POWER = 0.8
ALPHA = 0.05
MOST_SEEDS = 100


def power(
    delta: Float[ndarray, "..."],
    spread: Float[ndarray, "..."],
    seeds: Float[ndarray, "..."],
    alpha: Float[ndarray, "..."],
) -> Float[ndarray, "..."]:
    """Power of the two-sided paired t test for a true gain `delta` with standard deviation `spread` of the
    differences."""
    degrees = seeds - 1.0
    critical = stdtrit(degrees, 1 - alpha / 2)
    noncentrality = np.minimum(np.abs(delta) * np.sqrt(seeds) / spread, 35.0)  # above it the power is 1 in any case
    # the far tail is below 1e-3 wherever the power is near 0.8
    return 1 - nctdtr(degrees, noncentrality, critical)


def seeds_needed(gains: Sequence[float], spreads: Sequence[float], factors: Sequence[float]) -> list[int | None]:
    """Seeds at which each gain would be found with 80 % power at level 0.05 / factor; None above `MOST_SEEDS`."""
    if not gains:
        return []
    delta, spread, factor = (np.asarray(values, dtype=float)[:, None] for values in (gains, spreads, factors))
    flat = spread[:, 0] == 0
    low = np.full(len(gains), 2)
    high = np.full(len(gains), MOST_SEEDS + 1)
    safe = np.where(spread == 0, 1.0, spread)
    while np.any(low < high):  # power grows with n: halve the range for all rows together
        middle = (low + high) // 2
        enough = power(delta, safe, middle[:, None].astype(float), ALPHA / factor)[:, 0] >= POWER
        high = np.where(enough & (low < high), middle, high)
        low = np.where(~enough & (low < high), middle + 1, low)
    found = np.where(flat, np.where(delta[:, 0] == 0, MOST_SEEDS + 1, 2), low)
    return [int(n) if n <= MOST_SEEDS else None for n in found]


def detectable_gains(spreads: Sequence[float], seeds: Sequence[int], factors: Sequence[float]) -> list[float]:
    """The gain that so many paired runs (two or more) find with 80 % power at level 0.05 / factor."""
    n = np.asarray(seeds, dtype=float)
    critical = stdtrit(n - 1, 1 - ALPHA / (2 * np.asarray(factors, dtype=float)))
    found = nctdtrinc(n - 1, 1 - POWER, critical) * np.asarray(spreads, dtype=float) / np.sqrt(n)
    return [float(gain) for gain in found]


def smallest_detectable_gain(spread: float, seeds: int, *, patches: int = 1) -> float | None:
    """The gain that `seeds` paired runs find with 80 % power when it is the only real one among so many patches.

    spread: standard deviation of the paired differences. None for one seed.
    """
    return None if seeds < 2 else detectable_gains([spread], [seeds], [float(max(patches, 1))])[0]


def unpaired_spread(scores: Sequence[float]) -> float | None:
    """Spread of a difference of two runs from one variant's seeds, as if pairing did nothing: sqrt(2) sd."""
    if len(scores) < 2:
        return None
    return float(np.sqrt(2) * np.std(scores, ddof=1))


def pairing(variant: Sequence[float], baseline: Sequence[float]) -> tuple[float | None, float | None]:
    """Correlation over seeds, and variance without pairing over variance with it; None where either is undefined."""
    if len(variant) < 3:  # two points always lie on a line
        return None, None
    v, b = np.asarray(variant, dtype=float), np.asarray(baseline, dtype=float)
    var_v, var_b, var_d = v.var(ddof=1), b.var(ddof=1), (v - b).var(ddof=1)
    if var_v == 0 or var_b == 0:
        return None, None
    correlation = float((var_v + var_b - var_d) / (2 * np.sqrt(var_v * var_b)))
    ratio = float((var_v + var_b) / var_d) if var_d > 0 else None
    return min(max(correlation, -1.0), 1.0), ratio
