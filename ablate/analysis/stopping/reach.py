"""What a look of a study that is run until settled borrows, and whether the last look could still settle a row: what is
out of reach gets no further seeds.

    reach         = z(0.9) s sqrt(1/n - 1/N)                  s of one paired gain, n seeds so far, N at the last look
    out of reach    |d| + reach < t_N s / sqrt(N)             it would hardly be clear of zero there,
              and   |d| - reach > w b - u_N s / sqrt(N)       nor within +-w of the baseline b

The mean of N seeds lies within d +- reach with 80 % chance (stochastic curtailment under the trend so far, Lachin
2005). t_N and u_N are the last look's quantiles for `helps` or `hurts`, over the rows that are not yet rejected, and
for `negligible`. No other bound counts on it, so it can only make errors rarer. Rows that scatter much are what it
ends: where the rows' noise is unlike (log-sd 1) a study of ten patches took 88 runs without it and takes 79
(results/benchmarks/verdicts/worlds.txt), and what it takes away is a percent or two of the gains of 1.5 standard
deviations.
"""

import math

import numpy as np
from jaxtyping import Bool, Float
from numpy import ndarray
from scipy.special import ndtri, stdtrit

from ablate.analysis.statistics.moderated import MOST_PRIOR_DEGREES
from ablate.analysis.statistics.noise import ALPHA
from ablate.analysis.stopping.levels import nominal

CHANCE = 0.1
"""Of either end: what is likelier is waited for."""
LEAST_SEEDS = 5
"""Fewer tell too little of a row's noise: from the first look on, one null row in twenty was left without the word
`negligible` that it would have had; from five seeds on, one in fifty."""


def most_borrowed(seeds: int) -> float:
    """Degrees of freedom that a row borrows at most at a look: no more than its own seeds have. At three seeds those of
    a study with fixed seeds, 4, name a row in 7 % of studies of nulls whose rows are very unlike (log-sd 1); here that
    is 5, and a row that is missed has other looks."""
    return min(MOST_PRIOR_DEGREES, seeds - 1.0)


def reach(spread: Float[ndarray, "..."], seeds: int, last: int) -> Float[ndarray, "..."]:
    """How far the mean of `last` seeds may lie from that of the first `seeds`."""
    return np.asarray(-ndtri(CHANCE) * spread * math.sqrt(1 / seeds - 1 / last))


def clear_at_last(
    spread: Float[ndarray, "..."], degrees: Float[ndarray, "..."], seeds: int, looks: tuple[int, ...], rows: int
) -> Float[ndarray, "..."]:
    """The gain that would help at the last look, `rows` being the rows that Holm still counts."""
    level = nominal(ALPHA / max(rows, 1), len(looks) - 1, looks)
    return np.asarray(stdtrit(degrees + looks[-1] - seeds, 1 - level / 2) * spread / math.sqrt(looks[-1]))


def small_at_last(
    spread: Float[ndarray, "..."],
    degrees: Float[ndarray, "..."],
    seeds: int,
    looks: tuple[int, ...],
    worth: Float[ndarray, "..."] | float,
) -> Float[ndarray, "..."]:
    """The gain below which a row would be negligible at the last look; not above zero where none would be."""
    level = nominal(2 * ALPHA, len(looks) - 1, looks)
    return np.asarray(worth - stdtrit(degrees + looks[-1] - seeds, 1 - level / 2) * spread / math.sqrt(looks[-1]))


def out_of_reach(
    distance: Float[ndarray, "..."],
    spread: Float[ndarray, "..."],
    degrees: Float[ndarray, "..."],
    *,
    seeds: int,
    looks: tuple[int, ...],
    worth: Float[ndarray, "..."] | float,
    rows: int,
) -> Bool[ndarray, "..."]:
    """distance: |mean gain|. spread: of one paired gain, moderated, with so many degrees of freedom. worth: in the
    metric's unit; 0 or less where nothing can be negligible."""
    if not LEAST_SEEDS <= seeds < looks[-1]:
        return np.zeros(np.shape(distance), bool)
    ahead = reach(spread, seeds, looks[-1])
    small = small_at_last(spread, degrees, seeds, looks, worth)
    clear = distance + ahead >= clear_at_last(spread, degrees, seeds, looks, rows)
    near = (small > 0) & (distance - ahead <= small)
    return ~(clear | near)
