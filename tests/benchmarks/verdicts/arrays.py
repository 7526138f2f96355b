"""The program's rules for gains, ratios and looks as arrays, thousands of studies at a time: axes s m (study, row).

Written apart from the program, row by row the same numbers (tests/test_verdict_benchmark.py holds them together).
"""

from typing import NamedTuple

import numpy as np
from scipy.special import stdtr, stdtrit

from ablate.analysis.statistics.family import holm
from ablate.analysis.statistics.moderated import MOST_PRIOR_DEGREES, moderate
from ablate.analysis.stopping.levels import nominal, repeated_p

Ends = tuple[np.ndarray, np.ndarray]


class Gains(NamedTuple):
    """Means of the differences d and of the baseline b at each row's seeds. error: of d, moderated. vb: of b's mean.
    correlation: of d and b. degrees: of error; nu: of the seeds alone."""

    d: np.ndarray
    b: np.ndarray
    error: np.ndarray
    vb: np.ndarray
    correlation: np.ndarray
    degrees: np.ndarray
    nu: np.ndarray


class Sums(NamedTuple):
    """Of rows at some seeds: means, variances of one seed, correlation, n - 1."""

    d: np.ndarray
    b: np.ndarray
    vd: np.ndarray
    vb: np.ndarray
    correlation: np.ndarray
    nu: np.ndarray

    def where(self, going: np.ndarray, before: "Sums | None") -> "Sums":
        """These where a row goes on, and what was before where it does not."""
        if before is None:
            return self
        return Sums(*(np.where(going, new, old) for new, old in zip(self, before, strict=True)))

    def moderated(self, variance: str, most: float = MOST_PRIOR_DEGREES) -> Gains:
        n = self.nu + 1
        most = most if variance == "moderated" else 0.0
        found = moderate(self.vd, self.nu, most=most)
        error = np.sqrt(found.variance / n)
        return Gains(self.d, self.b, error, self.vb / n, self.correlation, found.degrees, self.nu)


def sums(differences: np.ndarray, base: np.ndarray) -> Sums:
    """differences: s m n; base: s n."""
    n = differences.shape[-1]
    b = np.broadcast_to(base[:, None], differences.shape)
    dc, bc = differences - differences.mean(axis=-1, keepdims=True), b - b.mean(axis=-1, keepdims=True)
    vd, vb = (dc**2).sum(axis=-1) / (n - 1), (bc**2).sum(axis=-1) / (n - 1)
    scale = np.sqrt(vd * vb)
    correlation = (dc * bc).sum(axis=-1) / (n - 1) / np.where(scale > 0, scale, np.inf)  # equal scores: drawn twice
    return Sums(differences.mean(axis=-1), b.mean(axis=-1), vd, vb, correlation, np.full(vd.shape, n - 1.0))


def fieller_ends(gains: Gains, level: np.ndarray | float) -> Ends:
    """`moderated_fieller`, or Fieller's own where nothing is borrowed; NaN where the baseline is not clear of zero."""
    moderated, t = stdtrit(gains.degrees, 0.5 + level / 2), stdtrit(gains.nu, 0.5 + level / 2)
    va, vb = (gains.error * moderated) ** 2, gains.vb * t**2
    cab = gains.correlation * np.sqrt(va * vb)
    own = gains.degrees == gains.nu
    above = _ends(gains, va, np.where(own, cab, np.minimum(cab, 0)), vb)
    below = _ends(gains, va, np.where(own, cab, np.maximum(cab, 0)), vb)
    low = np.where(below[0] < 0, below[0], np.maximum(above[0], 0))
    high = np.where(above[1] > 0, above[1], np.minimum(below[1], 0))
    return np.where(own, above[0], low), np.where(own, above[1], high)


def _ends(gains: Gains, va: np.ndarray, cab: np.ndarray, vb: np.ndarray) -> Ends:
    lead = gains.b**2 - vb
    lead = np.where(lead > 0, lead, np.nan)
    middle = (gains.d * gains.b - cab) / lead
    half = np.sqrt(np.maximum(middle**2 - (gains.d**2 - va) / lead, 0))
    return middle - half, middle + half


def p_negligible(gains: Gains, worth: float) -> np.ndarray:
    """Two one-sided tests against +-worth of the baseline's mean."""
    covariance = gains.correlation * gains.error * np.sqrt(gains.vb)
    found = np.zeros(gains.d.shape)
    for r in (-worth, worth):
        variance = gains.error**2 - 2 * np.minimum(r * covariance, 0) + r * r * gains.vb
        found = np.maximum(found, stdtr(gains.degrees, -np.abs(gains.d - r * gains.b) / np.sqrt(variance)))
    return np.where((gains.b <= 0) | (np.abs(gains.d) >= worth * gains.b), 1.0, found)


def p_of(gains: Gains) -> np.ndarray:
    return 2 * stdtr(gains.degrees, -np.abs(gains.d) / gains.error)


class Settled(NamedTuple):
    """words: -1 hurts, 0 none, 1 helps, 2 negligible. seeds: of each row. absolute, relative: ends of the repeated 95 %
    intervals of the gain, and of the gain over the baseline, NaN where there is none."""

    words: np.ndarray
    seeds: np.ndarray
    absolute: Ends
    relative: Ends


def until_settled(differences: np.ndarray, base: np.ndarray, looks: tuple[int, ...], worth: float) -> Settled:
    """differences: s m n, base: s n, both at the seeds of the last look. worth: relative."""
    shape = differences.shape[:2]
    going, words = np.ones(shape, bool), np.zeros(shape, int)
    p = np.ones(shape)
    seeds, held = np.zeros(shape, int), None
    absolute = relative = (np.zeros(shape), np.zeros(shape))
    for number, n in enumerate(looks):
        held = sums(differences[..., :n], base[:, :n]).where(going, held)
        gains = held.moderated("moderated", min(MOST_PRIOR_DEGREES, n - 1.0))
        seeds = np.where(going, n, seeds)
        level = 1 - nominal(0.05, number, looks)
        half = stdtrit(gains.degrees, 0.5 + level / 2) * gains.error
        absolute = _kept(going, (gains.d - half, gains.d + half), absolute)
        relative = _kept(going, fieller_ends(gains, level), relative)
        p = np.where(going, repeated_p(p_of(gains), number, looks), p)
        small = repeated_p(p_negligible(gains, worth), number, looks, sides=1) <= 0.05
        adjusted = holm(p)
        clear = (words == 0) & (adjusted <= 0.05)  # also of a row that ended open, once Holm asks less of it
        word = np.where(going & small, 2, np.where(clear, np.sign(gains.d), 0)).astype(int)
        words = np.where(words == 0, word, words)
        going = going & ~small & ~clear & ~lost(gains, adjusted, n, looks, worth)
    return Settled(words, seeds, absolute, relative)


def lost(gains: Gains, adjusted: np.ndarray, n: int, looks: tuple[int, ...], worth: float) -> np.ndarray:
    """Rows that the last look would hardly settle."""
    last = looks[-1]
    if not 5 <= n < last:
        return np.zeros(gains.d.shape, bool)
    spread, degrees = gains.error * np.sqrt(gains.nu + 1), gains.degrees - gains.nu + last - 1
    levels = np.array([nominal(0.05 / rows, len(looks) - 1, looks) for rows in range(1, gains.d.shape[1] + 1)])
    left = np.maximum((adjusted > 0.05).sum(axis=1, keepdims=True), 1)
    ahead = stdtrit(np.inf, 0.9) * spread * np.sqrt(1 / (gains.nu + 1) - 1 / last)
    clear = stdtrit(degrees, 1 - levels[left - 1] / 2) * spread / np.sqrt(last)
    near = worth * gains.b - stdtrit(degrees, 1 - nominal(0.1, len(looks) - 1, looks) / 2) * spread / np.sqrt(last)
    size = np.abs(gains.d)
    return (size + ahead < clear) & ((near <= 0) | (size - ahead > near))


def _kept(going: np.ndarray, new: Ends, old: Ends) -> Ends:
    return np.where(going, new[0], old[0]), np.where(going, new[1], old[1])
