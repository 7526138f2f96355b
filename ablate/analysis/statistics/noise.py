"""What the seeds can tell: how well pairing worked, how many seeds a gain would need, the smallest gain that could be
found.

    power(delta, sd, n) = P(|mean(d)| sqrt(n) / s~ > t(1 - alpha/2, d0 + nu)),     s~^2 = (d0 s0^2 + nu s^2) / (d0 + nu)
    seeds needed        = smallest n with power(observed gain, sd, n) >= 0.8
    detectable gain     = delta with power(delta, sd, n) = 0.8
    correlation         = corr over seeds of variant and baseline; Var(v - b) = Var(v) + Var(b) - 2 Cov(v, b)

The power is that of the rule in force: with d0 = 0 the noncentral t of the paired t test (Cohen 1988, chapter 2), with
the rows' prior (d0, s0^2) that of the moderated test. Given s^2, which is sd^2 chi^2_nu / nu, the mean is normal; the
expectation over chi^2 is a sum over its quantiles. At other seeds the prior is fitted anew, and log s0^2 of m rows
scatters with variance trigamma(nu / 2) (3 / (4 m) + 1 / 4): differences to one baseline correlate by 1/2, their squares
by 1/4. That is a sum over the nodes of a normal distribution; the prior taken as fixed promised 81 % where 77 % of
studies found it. Within 2 % of simulated power for 3 to 20 seeds (results/benchmarks/verdicts/power.txt). The sd of few
seeds is itself rough: read these as orders of magnitude.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from scipy.special import gammaincinv, ndtr, polygamma, stdtrit

from ablate.analysis.statistics.moderated import OWN, Prior, moderate

POWER = 0.8
ALPHA = 0.05
MOST_SEEDS = 100
QUANTILES = (np.arange(400) + 0.5) / 400
"""Where the chi squared distribution of a sample variance is looked at."""
NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(5)
"""Where the normal distribution of a prior's log variance is looked at."""
FAMILIES = 3000
"""Studies that the power of a moderated test is worked out from; its error is below 1 %."""
MOST_ROWS = 20
"""More rows than this tell no more of one row's noise."""


Power = Callable[[Float[ndarray, " m"]], Float[ndarray, " m"]]
"""Of the tests of m rows, for their true gains."""


def power(
    delta: Float[ndarray, " m"],
    spread: Float[ndarray, " m"],
    seeds: Float[ndarray, " m"],
    alpha: Float[ndarray, " m"],
    prior: Prior = OWN,
) -> Float[ndarray, " m"]:
    """Power of the two-sided test for true gains `delta` with standard deviations `spread` of the paired differences.

    The far tail is left out: it is below 1e-3 wherever the power is near 0.8.
    """
    delta, spread, seeds, alpha = np.broadcast_arrays(np.abs(delta), spread, seeds, alpha)
    return power_of(spread, seeds, alpha, prior)(delta)


def power_of(
    spread: Float[ndarray, " m"], seeds: Float[ndarray, " m"], alpha: Float[ndarray, " m"], prior: Prior = OWN
) -> Power:
    """The same for any gains, none below zero: what a search asks again and again is worked out once."""
    nu = seeds - 1.0
    quantiles = QUANTILES if prior.degrees == 0 else QUANTILES.reshape(-1, 4).mean(axis=1)
    kinds, kind = np.unique(
        nu, return_inverse=True
    )  # rows of equally many seeds share their quantiles, which cost most
    chi = (2 * gammaincinv(kinds[:, None] / 2, quantiles))[kind]  # m q: chi squared with nu degrees of freedom
    degrees = prior.degrees + nu
    critical = stdtrit(degrees, 1 - alpha / 2)[:, None]
    if prior.degrees == 0:
        weights, bounds = [1.0], [critical * np.sqrt(chi / degrees[:, None])]
    else:
        borrowed = prior.degrees * prior.variance / spread**2
        scatter = np.sqrt(polygamma(1, nu / 2) * (0.75 / prior.rows + 0.25))
        anew = [borrowed * np.exp(scatter * node) for node in NODES]
        weights = (WEIGHTS / WEIGHTS.sum()).tolist()
        bounds = [critical * np.sqrt((one[:, None] + chi) / degrees[:, None]) for one in anew]  # times s~ / sd

    def found(delta: Float[ndarray, " m"]) -> Float[ndarray, " m"]:
        shift = (delta * np.sqrt(seeds) / spread)[:, None]
        terms = (weight * ndtr(shift - bound).mean(axis=1) for weight, bound in zip(weights, bounds, strict=True))
        return np.asarray(sum(terms, start=np.zeros(delta.shape)))

    return found


def seeds_needed(
    gains: Sequence[float], spreads: Sequence[float], factors: Sequence[float], prior: Prior = OWN
) -> list[int | None]:
    """Seeds at which each gain would be found with 80 % power at level 0.05 / factor; None above `MOST_SEEDS`."""
    if not gains:
        return []
    delta, spread, factor = (np.asarray(values, dtype=float) for values in (gains, spreads, factors))
    flat = spread == 0
    low = np.full(len(gains), 2)
    high = np.full(len(gains), MOST_SEEDS + 1)
    safe = np.where(flat, 1.0, spread)
    while np.any(low < high):  # power grows with n: halve the range for all rows together
        middle = (low + high) // 2
        enough = power(delta, safe, middle.astype(float), ALPHA / factor, prior) >= POWER
        high = np.where(enough & (low < high), middle, high)
        low = np.where(~enough & (low < high), middle + 1, low)
    found = np.where(flat, np.where(delta == 0, MOST_SEEDS + 1, 2), low)
    return [int(n) if n <= MOST_SEEDS else None for n in found]


def detectable_gains(
    spreads: Sequence[float], seeds: Sequence[int], factors: Sequence[float], prior: Prior = OWN
) -> list[float]:
    """The gain that so many paired runs (two or more) find with 80 % power at level 0.05 / factor."""
    if not len(spreads):
        return []
    n, factor, spread = (np.asarray(values, dtype=float) for values in (seeds, factors, spreads))
    safe = np.where(spread == 0, 1.0, spread)
    low, high = np.zeros(len(safe)), np.full(len(safe), 1.0)
    reached = power_of(safe, n, ALPHA / factor, prior)
    while np.any(short := reached(high * safe) < POWER):
        high = np.where(short, 2 * high, high)
    for _ in range(40):
        middle = (low + high) / 2
        enough = reached(middle * safe) >= POWER
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    return [float(gain) for gain in np.where(spread == 0, 0.0, high * safe)]


def smallest_detectable_gain(spread: float, seeds: int, *, patches: int = 1, moderated: bool = True) -> float | None:
    """The gain that `seeds` paired runs find with 80 % power when it is the only real one among so many patches.

    spread: standard deviation of the paired differences, alike for all patches. moderated: the rule in force. None for
    one seed.
    """
    if seeds < 2:
        return None
    if not moderated or patches < 2:
        return detectable_gains([spread], [seeds], [float(max(patches, 1))])[0]
    scale, degrees = _families(patches, seeds)
    critical = stdtrit(degrees, 1 - ALPHA / (2 * patches)) * scale
    low, high = 0.0, 100.0
    for _ in range(40):
        middle = (low + high) / 2
        enough = ndtr(middle * np.sqrt(seeds) - critical).mean() >= POWER
        low, high = (low, middle) if enough else (middle, high)
    return high * spread


@lru_cache(maxsize=64)
def _families(patches: int, seeds: int) -> tuple[Float[ndarray, " f"], Float[ndarray, " f"]]:
    """(s~ / sd, degrees of freedom) of one row in each of many studies whose patches scatter alike.

    What the rows tell of one another varies from study to study with the baseline's noise, which no formula gives.
    """
    rows = min(patches, MOST_ROWS)
    found = moderate(paired_noise(FAMILIES, rows, seeds).var(axis=-1, ddof=1), seeds - 1.0)
    return np.sqrt(found.variance[:, 0]), found.degrees[:, 0]


def paired_noise(studies: int, rows: int, seeds: int) -> Float[ndarray, "studies rows seeds"]:
    """Differences to one baseline, of variance 1, as if pairing did nothing: they correlate by 1/2. Where it does, rows
    tell more of one another's noise, and what is said to be found in 80 % of studies is found in 80 to 83. The same for
    the same arguments."""
    generator = np.random.default_rng(0)
    own, shared = generator.standard_normal((studies, rows, seeds)), generator.standard_normal((studies, 1, seeds))
    return np.asarray((own - shared) / np.sqrt(2))


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
