"""Would more seeds of the baseline alone be worth their runs? Held against the same rows at one seed more.

    g     = mean(y) - beta mean(b) - (1 - beta) mean(b over all its n0 seeds)           beta in 0 .. 1
    var g = var(y - beta b) / n + (1 - beta)^2 var(b) / n0

beta is the slope of the rows on the baseline over the seeds that they share, one for all rows: 1 is the paired gain, 0
the difference of means. At the true slope this is the best linear estimator; n0 = n sqrt(K) is Dunnett's allocation
(1955) for K rows that do not correlate with the baseline. var(y - beta b) is moderated over the rows.
"""

import csv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
from again import FRESH
from scipy.special import stdtr, stdtrit

from ablate.analysis.statistics.family import holm
from ablate.analysis.statistics.moderated import moderate

ROWS = 10
GAIN = 2.5
"""Of half of the rows, in standard deviations of a paired gain."""
CORRELATIONS = (0.0, 0.3, 0.6, 0.9)


class Plan(NamedTuple):
    """Seeds of each row, and of the baseline."""

    seeds: int
    baseline: int

    @property
    def runs(self) -> int:
        return ROWS * self.seeds + self.baseline


def plans(seeds: int) -> tuple[Plan, Plan, Plan]:
    """As many of the baseline; Dunnett's number of the baseline; one seed more of all."""
    return Plan(seeds, seeds), Plan(seeds, int(np.ceil(seeds * np.sqrt(ROWS)))), Plan(seeds + 1, seeds + 1)


class Bought(NamedTuple):
    """half_width: median, in standard deviations of one score. The rest are shares: intervals that hold the truth,
    studies of nulls alone that name any row, gains found beside as many nulls, intervals that do not hold the mean of
    five fresh seeds, studies in which half of them do not."""

    rho: float
    plan: Plan
    half_width: float
    held: float
    false_any: float
    found: float
    outside: float
    half: float


def bought(rho: float, plan: Plan, studies: int, seed: int) -> Bought:
    generator = np.random.default_rng(seed)
    base = generator.standard_normal((studies, plan.baseline))
    own = generator.standard_normal((studies, ROWS, plan.seeds))
    noise = rho * base[:, None, : plan.seeds] + np.sqrt(1 - rho**2) * own
    error, half_width, p_of = estimate(base, noise)
    real = np.where(np.arange(ROWS) < ROWS // 2, GAIN * np.sqrt(2 - 2 * rho), 0.0)
    fresh_base = generator.standard_normal((studies, 1, FRESH))
    fresh = rho * fresh_base + np.sqrt(1 - rho**2) * generator.standard_normal((studies, ROWS, FRESH))
    outside = np.abs((fresh - fresh_base).mean(axis=-1) - error) > half_width
    return Bought(
        rho=rho,
        plan=plan,
        half_width=float(np.median(half_width)),
        held=float((np.abs(error) <= half_width).mean()),
        false_any=float((holm(p_of(error)) <= 0.05).any(axis=1).mean()),
        found=float((holm(p_of(error + real)) <= 0.05)[:, : ROWS // 2].mean()),
        outside=float(outside.mean()),
        half=float((outside.sum(axis=1) >= ROWS / 2).mean()),
    )


def estimate(base: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, Callable[[np.ndarray], np.ndarray]]:
    """Gains of rows that truly gain nothing (s m), their half widths, and p of any gain with that error."""
    n, n0 = rows.shape[-1], base.shape[-1]
    shared = base[:, None, :n]
    centred = shared - shared.mean(axis=-1, keepdims=True)
    if n0 == n:
        slope = np.ones((len(base), 1))
    else:
        slope = ((rows * centred).sum(axis=-1) / (centred**2).sum(axis=-1)).mean(axis=1, keepdims=True)
    slope = np.clip(slope, 0, 1)
    residual = rows - slope[..., None] * shared
    found = moderate(residual.var(axis=-1, ddof=1), n - 1.0)
    own = found.variance / n
    rest = (1 - slope) ** 2 * base.var(axis=-1, ddof=1, keepdims=True) / n0
    total = own + rest
    degrees = total**2 / (own**2 / found.degrees + rest**2 / (n0 - 1))
    gains = residual.mean(axis=-1) - (1 - slope) * base.mean(axis=-1, keepdims=True)
    error = np.sqrt(total)
    return gains, stdtrit(degrees, 0.975) * error, lambda gain: 2 * stdtr(degrees, -np.abs(gain) / error)


def all_plans(studies: int, seed: int) -> Iterator[Bought]:
    for seeds in (3, 5):
        for rho in CORRELATIONS:
            for plan in plans(seeds):
                yield bought(rho, plan, studies, seed)


class Paired(NamedTuple):
    """A committed study: correlation of its patches with the baseline over seeds, and the share of patches at which
    pairing by seed makes the variance of a gain smaller."""

    study: str
    patches: int
    correlation: float
    saves: float


def committed(results: Path) -> Iterator[Paired]:
    """From the `scores.csv` of every study; exact copies of the baseline are left out."""
    for path in sorted(results.glob("*/scores.csv")):
        scores: dict[tuple[str, str], dict[int, float]] = {}
        with path.open(encoding="utf-8") as file:
            for row in csv.DictReader(file):
                if row["score"]:
                    scores.setdefault((row["role"], row["variant"]), {})[int(row["seed"])] = float(row["score"])
        base = next(held for (role, _), held in scores.items() if role == "baseline")
        pairs = [
            np.array([(held[seed], base[seed]) for seed in base if seed in held]).T
            for (role, _), held in scores.items()
            if role == "variant"
        ]
        pairs = [pair for pair in pairs if pair.shape[-1] > 2 and np.ptp(pair[0] - pair[1]) > 0]
        if pairs:
            correlations = [float(np.corrcoef(pair)[0, 1]) for pair in pairs]
            saves = [float((pair[0] - pair[1]).var() < pair[0].var() + pair[1].var()) for pair in pairs]
            yield Paired(path.parent.name, len(pairs), float(np.median(correlations)), float(np.mean(saves)))
