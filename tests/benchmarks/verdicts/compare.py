"""All rules on the same planted studies: one line a rule, and our own rules in every world."""

from collections.abc import Callable, Iterator
from importlib.util import find_spec
from typing import NamedTuple

import numpy as np
import others
import ours
import packages
from measure import Worth, worth_of
from worlds import HALF, MIXED, NONE, NORMAL, WORLDS, Planted, World, plant

MOST_SEEDS = 25
"""What the largest plan of AdaStop may buy."""


class Rule(NamedTuple):
    """words: and the runs that were bought. pace: which share of the studies it sees; 1 for arrays."""

    name: str
    words: Callable[[Planted], tuple[np.ndarray, float | np.ndarray]]
    pace: str = "arrays"
    family: str = "others"
    package: str = ""


def at(seeds: int, words: Callable[[Planted], np.ndarray]) -> Callable[[Planted], tuple[np.ndarray, float]]:
    """A rule that buys so many seeds of the baseline and of every row."""

    def judged(planted: Planted) -> tuple[np.ndarray, float]:
        return words(planted.first(seeds)), seeds * (planted.truth.shape[1] + 1)

    return judged


def own(seeds: int, variance: str) -> Callable[[Planted], tuple[np.ndarray, float]]:
    def words(planted: Planted) -> np.ndarray:
        if np.isnan(planted.scores).any():
            return ours.fixed_by_study(planted, variance)[0]
        return ours.fixed(planted, variance)

    return at(seeds, words)


def settled(planted: Planted) -> tuple[np.ndarray, np.ndarray]:
    by = ours.until_settled_by_study if np.isnan(planted.scores).any() else ours.until_settled
    found = by(planted.first(ours.SCHEDULE.looks[-1]))
    return found.words, found.runs


def adastop(n: int, looks: int) -> Callable[[Planted], tuple[np.ndarray, np.ndarray]]:
    def judged(planted: Planted) -> tuple[np.ndarray, np.ndarray]:
        return packages.adastop_words(planted, n=n, looks=looks, permutations=1000)

    return judged


RULES = (
    Rule("1 seed, above the baseline", at(1, others.above)),
    Rule("mean of 3 seeds above (sweep tools)", at(3, others.above)),
    Rule("mean of 5 seeds above", at(5, others.above)),
    Rule("Welch, 5 seeds", at(5, lambda planted: others.welch(planted, family=False))),
    Rule("Welch and Holm, 5 seeds", at(5, lambda planted: others.welch(planted, family=True))),
    Rule("percentile bootstrap of the gain, 3 seeds", at(3, others.paired_bootstrap)),
    Rule("percentile bootstrap of the gain, 5 seeds", at(5, others.paired_bootstrap)),
    Rule("own intervals apart, 3 seeds", at(3, others.intervals_apart)),
    Rule("own intervals apart, 5 seeds", at(5, others.intervals_apart)),
    Rule("rliable's rule, 5 seeds", at(5, others.probability_of_improvement)),
    Rule("autorank, 5 seeds", at(5, packages.autorank_words), "packages", package="autorank"),
    Rule("AdaStop, n 4, K 3", adastop(4, 3), "packages", package="adastop"),
    Rule("AdaStop, n 5, K 5", adastop(5, 5), "packages", package="adastop"),
    Rule("ablate, own variance, 3 seeds", own(3, "own"), family="ours"),
    Rule("ablate, own variance, 5 seeds", own(5, "own"), family="ours"),
    Rule("ablate, 3 seeds", own(3, "moderated"), family="ours"),
    Rule("ablate, 5 seeds", own(5, "moderated"), family="ours"),
    Rule("ablate, until settled", settled, family="ours"),
)


class Counts(NamedTuple):
    """Studies a cell for rules that are arrays, for rules that go study by study, and for other packages."""

    arrays: int = 4000
    studies: int = 600
    packages: int = 40


class Line(NamedTuple):
    rule: Rule
    half: Worth
    none: Worth
    mixed: Worth


def missing(rule: Rule) -> bool:
    return bool(rule.package) and find_spec(rule.package) is None


def rules(counts: Counts, seed: int) -> Iterator[Line]:
    """Every rule in the normal world: five of ten rows null, all null, and the mixed plan."""
    planted = [
        plant(NORMAL, plan, counts.arrays, MOST_SEEDS, seed + place) for place, plan in enumerate((HALF, NONE, MIXED))
    ]
    for rule in RULES:
        if missing(rule):
            continue
        most = getattr(counts, rule.pace)  # its field of that name
        half, none, mixed = planted
        mixed = mixed.some(min(most, counts.studies))  # our own rules go study by study where seeds diverge
        yield Line(rule, judged(rule, half.some(most)), judged(rule, none.some(most)), judged(rule, mixed))


def judged(rule: Rule, planted: Planted) -> Worth:
    words, runs = rule.words(planted)
    return worth_of(planted, words, runs)


class Cell(NamedTuple):
    """One of our rules in one world: five of ten rows null, all null, and what its repeated intervals held."""

    world: World
    half: Worth
    none: Worth
    held: tuple[float, float] | None = None


def worlds(name: str, counts: Counts, seed: int) -> Iterator[Cell]:
    """A rule of `RULES` in every world."""
    rule = next(rule for rule in RULES if rule.name == name)
    most = getattr(counts, rule.pace)  # its field of that name
    for world in WORLDS:
        half, none = (plant(world, plan, most, ours.SCHEDULE.looks[-1], seed + 10) for plan in (HALF, NONE))
        if rule.words is not settled:
            yield Cell(world, judged(rule, half), judged(rule, none))
            continue
        first, second = ours.until_settled(half), ours.until_settled(none)
        held = float(np.nanmean(first.held)), float(np.nanmin(np.nanmean(first.held, axis=0)))
        yield Cell(world, worth_of(half, first.words, first.runs), worth_of(none, second.words, second.runs), held)


def interplay(seeds: int, counts: Counts, seed: int) -> dict[str, float]:
    """Shares of mixed studies that name each pair for what it is, and that name one which has none."""
    planted = plant(NORMAL, MIXED, counts.studies, seeds, seed)
    said = np.array(ours.fixed_by_study(planted)[1])
    return {
        "redundant": float((said[:, 0] == "redundant").mean()),
        "synergistic": float((said[:, 1] == "synergistic").mean()),
        "falsely named": float((said[:, 2] != "no evidence").mean()),
    }
