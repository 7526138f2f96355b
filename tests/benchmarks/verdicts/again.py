"""Does a study's table repeat on other seeds? Planted studies of three seeds, and the same rows on five fresh ones.

The rules are the program's, as arrays: words of both sets (Holm; two one-sided tests), the moderated prior of the
study's own rows for both, and a row contradicted where its gain differs by more than both sets' errors allow.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from ours import WORTH
from scipy.special import stdtr, stdtrit
from worlds import HALF, NONE, Plan

from ablate.analysis.statistics.family import holm
from ablate.analysis.statistics.moderated import moderate

SEEDS, FRESH = 3, 5
REGIMES = 10
"""Baselines that a regime is chosen from by the validation score of the study's own seeds."""
VALIDATION = 0.8
"""Correlation of a run's validation and test scores about their means."""
BORDER = Plan((WORTH,) * 5 + (-WORTH,) * 5)
"""Every gain as large as what is worth having: no two sets of seeds need give it the same word."""


class Case(NamedTuple):
    """rho: of variant and baseline over seeds. log_sd: how unlike the rows' noise is. chosen: whether the regime was
    chosen on the study's own seeds. moved: what all gains truly differ by on the fresh seeds, sd."""

    name: str
    plan: Plan = HALF
    rho: float = 0.5
    log_sd: float = 0.0
    chosen: bool = False
    moved: float = 0.0


CASES = (
    Case("five gains, five nulls"),
    Case("ten nulls", NONE),
    Case("ten gains as large as `worth`", BORDER),
    Case("no pairing", rho=0.0),
    Case("pairing .9", rho=0.9),
    Case("unlike noise (.6)", log_sd=0.6),
    Case("regime chosen on the same seeds", chosen=True),
    Case("all gains 1.5 sd less on fresh seeds", moved=-1.5),
    Case("all gains 2.5 sd less on fresh seeds", moved=-2.5),
    Case("all gains 4 sd less on fresh seeds", moved=-4.0),
)


class Set(NamedTuple):
    """Gains of ten rows at one set of seeds: (s m). variance: own, of one seed."""

    gain: np.ndarray
    variance: np.ndarray
    seeds: int


class Again(NamedTuple):
    """Shares. held: printed intervals that hold the truth; together: studies in which those of all rows do. outside:
    printed intervals that do not hold the fresh mean; most: studies with at most one such row in ten; half: with half
    of the rows or more. beyond: changes whose own 95 % interval is clear of zero. repeats, weaker, contradicted: of the
    rows that had a word. some: studies that call any row contradicted."""

    case: Case
    held: float
    together: float
    outside: float
    most: float
    half: float
    beyond: float
    repeats: float
    weaker: float
    contradicted: float
    some: float


def measure(case: Case, studies: int, seed: int) -> Again:
    first, second, truth = draw(case, studies, seed)
    found = repeated(first, second)
    judged = found.words != 0
    held = np.abs(first.gain - truth) <= found.half_width
    outside = np.abs(second.gain - first.gain) > found.half_width
    return Again(
        case=case,
        held=float(held.mean()),
        together=float(held.all(axis=1).mean()),
        outside=float(outside.mean()),
        most=float((outside.sum(axis=1) <= truth.shape[1] / 10).mean()),
        half=float((outside.sum(axis=1) >= truth.shape[1] / 2).mean()),
        beyond=float((found.p <= 0.05).mean()),
        repeats=float((found.words == found.again)[judged].mean()) if judged.any() else float("nan"),
        weaker=float(((found.words != found.again) & ~found.contradicted)[judged].mean()) if judged.any() else 0.0,
        contradicted=float(found.contradicted[judged].mean()) if judged.any() else 0.0,
        some=float(found.contradicted.any(axis=1).mean()),
    )


def draw(case: Case, studies: int, seed: int) -> tuple[Set, Set, np.ndarray]:
    """Both sets and the true gains of the first, in standard deviations of a paired gain."""
    generator = np.random.default_rng(seed)
    rows, scale = len(case.plan.gains), np.sqrt(2 - 2 * case.rho)
    spread = np.exp(case.log_sd * generator.standard_normal((studies, rows, 1)))
    truth = np.broadcast_to(np.array(case.plan.gains), (studies, rows))
    sets = []
    for seeds in (SEEDS, FRESH):
        base = generator.standard_normal((studies, 1, seeds))
        if case.chosen and seeds == SEEDS:
            base = _lucky(generator, studies)[:, None]
        own = generator.standard_normal((studies, rows, seeds))
        noise = ((case.rho - 1) * base + np.sqrt(1 - case.rho**2) * own) / scale * spread
        gains = truth[..., None] + noise + (case.moved if seeds == FRESH else 0.0)
        sets.append(Set(gains.mean(axis=-1), gains.var(axis=-1, ddof=1), seeds))
    return sets[0], sets[1], truth


def _lucky(generator: np.random.Generator, studies: int) -> np.ndarray:
    """The baseline's test noise in the regime that scored best on validation, all of them truly alike: (s n)."""
    test = generator.standard_normal((studies, REGIMES, SEEDS))
    other = generator.standard_normal(test.shape)
    validation = VALIDATION * test + np.sqrt(1 - VALIDATION**2) * other
    best = validation.mean(axis=-1).argmax(axis=1)
    return np.asarray(test[np.arange(studies), best])


class Found(NamedTuple):
    """Words of the study and of the fresh seeds (-1 hurts, 0 none, 1 helps, 2 negligible), the study's half widths, p
    of each change alone, which rows are contradicted, and both sets' errors with their degrees of freedom: (s m)."""

    words: np.ndarray
    again: np.ndarray
    half_width: np.ndarray
    p: np.ndarray
    contradicted: np.ndarray
    errors: list[np.ndarray]
    degrees: list[np.ndarray]


def repeated(first: Set, second: Set) -> Found:
    prior = moderate(first.variance, first.seeds - 1.0)
    d0, level = prior.prior_degrees[:, None], prior.prior_variance[:, None]
    errors, degrees = [], []
    for held in (first, second):
        nu = held.seeds - 1.0
        errors.append(np.sqrt((d0 * level + nu * held.variance) / (d0 + nu) / held.seeds))
        degrees.append(np.broadcast_to(d0 + nu, held.gain.shape))
    words, again = (
        _words(held.gain, error, nu) for held, error, nu in zip((first, second), errors, degrees, strict=True)
    )
    total = errors[0] ** 2 + errors[1] ** 2
    freedom = total**2 / (errors[0] ** 4 / degrees[0] + errors[1] ** 4 / degrees[1])
    p = 2 * stdtr(freedom, -np.abs(second.gain - first.gain) / np.sqrt(total))
    differs = (holm(p) <= 0.05) | (words * again == -1)
    contradicted = differs & (words != 0) & (again != words)
    return Found(words, again, stdtrit(degrees[0], 0.975) * errors[0], p, contradicted, errors, degrees)


def _words(gain: np.ndarray, error: np.ndarray, degrees: np.ndarray) -> np.ndarray:
    clear = holm(2 * stdtr(degrees, -np.abs(gain) / error)) <= 0.05
    inside = np.where(np.abs(gain) < WORTH, stdtr(degrees, -(WORTH - np.abs(gain)) / error), 1.0)
    return np.where(holm(inside) <= 0.05, 2, np.where(clear, np.sign(gain), 0)).astype(int)


def all_cases(studies: int, seed: int) -> Iterator[Again]:
    for case in CASES:
        yield measure(case, studies, seed)
