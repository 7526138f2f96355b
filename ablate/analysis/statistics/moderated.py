"""Moderated variance: what all rows of a study say together about how much one row scatters.

With three seeds a row's own variance is nearly unknown. Its logarithm scatters about the truth with a known variance,
so what the rows' logarithms scatter beyond that is how much the rows truly differ (Smyth 2004, section 6.2):

    e_i   = log s_i^2 - digamma(nu_i / 2) + log(nu_i / 2)
    trigamma(d0 / 2) = var(e) - mean(trigamma(nu / 2))          d0 infinite where the right side is not above zero
    s0^2             = exp(mean(e))                              the rows' geometric mean
    s~_i^2           = (d0 s0^2 + nu_i s_i^2) / (d0 + nu_i)     with d0 + nu_i degrees of freedom

Differs in: d0 is at most 4, and s0^2 is the geometric mean whatever d0 is. The rows share the baseline's noise, so
their spreads look more alike than they are; a free d0 lets the error rate of a family rise to 6 to 18 %
(tests/analysis/statistics). limma places s0^2 below the geometric mean, by a factor of .76 at d0 = 4 and .56 at 2: too
low where rows are alike and d0 was only capped, and where they are not, false verdicts are 1.5 to 2.5 times as many.
Out of reach: where the noise of the gains themselves is unlike (log-sd .6), three seeds find 37 and 71 % of gains of
2.5 and 4 sd; a rule that knows the true prior finds 40 and 77 % (results/benchmarks/verdicts/limit.txt).
Variances of zero (exact copies of the baseline) tell nothing of noise and are left out of the fit.

Reference: Smyth 2004, Linear models and empirical Bayes methods, Stat. Appl. Genet. Mol. Biol. 3(1), article 3.
"""

import math
from collections.abc import Iterable
from decimal import Decimal
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray
from scipy.special import digamma, polygamma

MOST_PRIOR_DEGREES = 4.0


class Moderated(NamedTuple):
    """Variances of the rows after moderation, their degrees of freedom, and the prior that all rows share."""

    variance: Float[ndarray, "... m"]
    degrees: Float[ndarray, "... m"]
    prior_variance: Float[ndarray, "..."]
    prior_degrees: Float[ndarray, "..."]
    """0 where fewer than two rows have a spread: each row is left with its own."""


def moderate(
    variance: Float[ndarray, "... m"],
    degrees: Float[ndarray, "... m"] | float,
    *,
    most: float = MOST_PRIOR_DEGREES,
) -> Moderated:
    """Sample variances of m rows in, moderated ones out; axes in front are independent studies.

    degrees: of freedom of each variance (seeds - 1), 1 or more; rows that lost a pair have fewer. most: cap on d0,
    finite; 0 leaves every row its own variance.
    """
    variance = np.asarray(variance, dtype=float)
    nu = np.broadcast_to(np.asarray(degrees, dtype=float), variance.shape)
    fitted, level = _prior(variance, nu, most)
    weight, prior = fitted[..., None], level[..., None]
    return Moderated((weight * prior + nu * variance) / (weight + nu), weight + nu, level, fitted)


def _prior(
    variance: Float[ndarray, "... m"], nu: Float[ndarray, "... m"], most: float
) -> tuple[Float[ndarray, "..."], Float[ndarray, "..."]]:
    """(d0, s0^2) of each study."""
    scattered = variance > 0
    count = scattered.sum(axis=-1)
    known = count >= 2
    safe = np.maximum(count, 1)
    logs = np.log(np.where(scattered, variance, 1.0)) - digamma(nu / 2) + np.log(nu / 2)
    mean = _sum(logs, scattered) / safe
    squares = _sum((logs - mean[..., None]) ** 2, scattered) / np.maximum(count - 1, 1)
    excess = squares - _sum(polygamma(1, nu / 2), scattered) / safe
    free = 2 * trigamma_inverse(np.where(excess > 0, excess, 1.0))
    fitted = np.where(known & (most > 0), np.where(excess > 0, np.minimum(free, most), most), 0.0)
    return fitted, np.where(fitted > 0, np.exp(mean), 0.0)


def _sum(values: Float[ndarray, "... m"], counted: Bool[ndarray, "... m"]) -> Float[ndarray, "..."]:
    """Sorted first, so that the order of a table's rows moves no last digit."""
    return np.asarray(np.sort(np.where(counted, values, 0.0), axis=-1).sum(axis=-1))


def trigamma_inverse(value: Float[ndarray, "..."]) -> Float[ndarray, "..."]:
    """The y above zero with trigamma(y) = value, by Newton steps on 1 / trigamma, which is nearly straight (Smyth 2004,
    appendix)."""
    value = np.asarray(value, dtype=float)
    y = 0.5 + 1 / value
    for _ in range(50):
        trigamma = polygamma(1, y)
        step = trigamma * (1 - trigamma / value) / polygamma(2, y)
        y = y + step
        if np.all(-step <= 1e-8 * y):  # converges from one side: all steps are negative
            break
    return np.asarray(y, dtype=float)


class Prior(NamedTuple):
    """What all rows of one study say of a row's variance: s0^2 with d0 degrees of freedom, fitted to so many rows.

    least: the variance of a difference that the scores' last decimal alone makes; 0 where they are not rounded.
    """

    variance: float
    degrees: float
    rows: int
    least: float = 0.0

    def posterior(self, variance: float, degrees: float) -> tuple[float, float]:
        """Moderated variance of a row and its degrees of freedom."""
        total = self.degrees + degrees
        return (self.degrees * self.variance + degrees * max(variance, self.least)) / total, total

    @classmethod
    def of(cls, variances: list[float], degrees: list[float], *, most: float = MOST_PRIOR_DEGREES) -> "Prior":
        """Fitted to the rows' own variances."""
        if len(variances) < 2:
            return OWN
        found = moderate(np.array(variances), np.array(degrees), most=most)
        rows = sum(variance > 0 for variance in variances)
        return cls(float(found.prior_variance), float(found.prior_degrees), rows)


MOST_DECIMALS = 12


def rounding_variance(scores: Iterable[float]) -> float:
    """Of the difference of two scores that are rounded to the decimals that these have: step^2 / 6. Three seeds that
    gain +0.01 each, in a table of two decimals, do not show that they gain the same. 0 for scores of full precision."""
    held = [Decimal(repr(float(score))).normalize() for score in scores if math.isfinite(score)]
    step = min((int(score.as_tuple().exponent) for score in held if score), default=-MOST_DECIMALS - 1)
    largest = max((score.adjusted() for score in held if score), default=0)
    return 10.0 ** (2 * step) / 6 if largest - step <= MOST_DECIMALS else 0.0


OWN = Prior(0.0, 0.0, 0)
"""Nothing is borrowed: each row is left with its own variance."""
