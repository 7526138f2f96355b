"""Studies run until settled, thousands at a time in arrays: written apart from the program, to check its rule."""

from typing import NamedTuple

import numpy as np
from scipy.special import stdtr, stdtrit

from ablate.analysis.statistics.family import holm
from ablate.analysis.statistics.moderated import Moderated, moderate
from ablate.analysis.stopping.levels import nominal, repeated_p

LOOKS = (3, 4, 5, 6, 8, 10, 12)
TEN = (0.0,) * 5 + (1.5, 2.0, 2.5, 3.0, 4.0)
"""Gains of ten patches in standard deviations of a paired gain."""


class Plan(NamedTuple):
    """worth: in the same standard deviations. rho: correlation of variant and baseline over seeds. log_sd: how unlike
    the rows' spreads are."""

    gains: tuple[float, ...] = TEN
    worth: float = 1.25
    rho: float = 0.5
    log_sd: float = 0.0
    noise: str = "normal"


class Simulated(NamedTuple):
    """Arrays, a study a row: runs; per row of a study the word (-1 hurts, 0 none, 1 helps, 2 negligible), seeds, and
    whether the repeated interval holds the truth."""

    runs: np.ndarray
    words: np.ndarray
    seeds: np.ndarray
    held: np.ndarray


def scores(plan: Plan, studies: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """True gains (s m), differences to the baseline (s m n) and baselines (s n)."""
    generator = np.random.default_rng(seed)
    draw = {
        "normal": generator.standard_normal,
        "t3": lambda shape: generator.standard_t(3, shape) / np.sqrt(3),
        "exponential": lambda shape: generator.exponential(size=shape) - 1,
    }[plan.noise]
    base = draw((studies, 1, LOOKS[-1]))
    own = draw((studies, len(plan.gains), LOOKS[-1]))
    spread = np.exp(plan.log_sd * generator.standard_normal((studies, len(plan.gains), 1)))
    noise = ((plan.rho - 1) * base + np.sqrt(1 - plan.rho**2) * own) / np.sqrt(2 - 2 * plan.rho) * spread
    truth = np.array(plan.gains) * np.ones((studies, 1))
    return truth, truth[..., None] + noise, base[:, 0] / np.sqrt(2 - 2 * plan.rho)


def simulate(plan: Plan, studies: int = 2000, seed: int = 0) -> Simulated:
    truth, differences, _ = scores(plan, studies, seed)
    shape = truth.shape
    going = np.ones(shape, bool)
    seeds, mean, variance, p, low, high = (np.zeros(shape) for _ in range(6))
    words, small = np.zeros(shape, int), np.ones(shape)
    for k, n in enumerate(LOOKS):
        seeds = np.where(going, n, seeds)
        mean = np.where(going, differences[..., :n].mean(-1), mean)
        variance = np.where(going, differences[..., :n].var(-1, ddof=1), variance)
        found = moderate(variance, seeds - 1, most=min(4.0, n - 1.0))
        error = np.sqrt(found.variance / seeds)
        own = 2 * stdtr(found.degrees, -np.abs(mean) / error)
        near = stdtr(found.degrees, -(plan.worth - np.abs(mean)) / error)
        equal = np.where(np.abs(mean) < plan.worth, near, 1.0)
        half = stdtrit(found.degrees, 1 - nominal(0.05, k, LOOKS) / 2) * error
        low, high = np.where(going, mean - half, low), np.where(going, mean + half, high)
        p = np.where(going, repeated_p(own, k, LOOKS), p)
        small = np.where(going, repeated_p(equal, k, LOOKS, sides=1), small)
        adjusted = holm(p)
        negligible = going & (small <= 0.05)
        clear = (words == 0) & (adjusted <= 0.05) & ~negligible
        words = np.where(negligible, 2, np.where(clear, np.sign(mean).astype(int), words))
        going = going & ~negligible & ~clear & _reachable(plan, found, mean, seeds, (adjusted > 0.05).sum(1))
    return Simulated(seeds.sum(1) + seeds.max(1), words, seeds, (low <= truth) & (truth <= high))


def _reachable(plan: Plan, found: Moderated, mean: np.ndarray, seeds: np.ndarray, left: np.ndarray) -> np.ndarray:
    """Whether the last look has a fair chance to settle a row, by 80 % of where its mean may then lie."""
    last, spread = LOOKS[-1], np.sqrt(found.variance)
    degrees = found.degrees - seeds + last
    ahead = 1.2815515655446004 * spread * np.sqrt(np.maximum(1 / seeds - 1 / last, 0))
    levels = np.array([nominal(0.05 / max(rows, 1), len(LOOKS) - 1, LOOKS) for rows in range(mean.shape[1] + 1)])
    clear = stdtrit(degrees, 1 - levels[left][:, None] / 2) * spread / np.sqrt(last)
    near = plan.worth - stdtrit(degrees, 1 - nominal(0.1, len(LOOKS) - 1, LOOKS) / 2) * spread / np.sqrt(last)
    return (
        (seeds < 5) | (seeds == last) | (np.abs(mean) + ahead >= clear) | ((near > 0) & (np.abs(mean) - ahead <= near))
    )


def false_word(plan: Plan, found: Simulated) -> float:
    """Share of studies in which some row is said to help or hurt that does not, or to be negligible that is not."""
    gains = np.array(plan.gains)
    wrong = ((found.words == 1) & (gains <= 0)) | ((found.words == -1) & (gains >= 0))
    return float((wrong | ((found.words == 2) & (np.abs(gains) >= plan.worth))).any(1).mean())


def right(plan: Plan, found: Simulated) -> float:
    """Share of rows with the right word: helps where there is a gain, negligible or none where there is not."""
    gains = np.array(plan.gains)
    return float(np.where(gains > 0, found.words == 1, (found.words == 0) | (found.words == 2)).mean())
