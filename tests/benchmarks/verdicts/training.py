"""The rules on 30 worlds that were trained (`tests/planted/random_worlds.py`): 15 seeds each, cut into studies.

What a patch does in a world is said by all 15 seeds: |t| above 4, or exactly nothing where it is only another draw.
Rows that 15 seeds do not settle are in no count. The scores are kept (`worlds.csv`), so that rules are judged again
without training.
"""

import csv
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import others
import ours
from worlds import Plan, Planted

SEEDS = 15
CLEAR = 4.0
"""Standard errors of a mean over all seeds."""
WORTH = 0.03
"""Of the baseline's score, as recipes have it."""
BASELINE = "baseline"
NULLS = ("redraw", "reseed")


class World(NamedTuple):
    """Scores of m rows and of the baseline at n seeds, and what each row does: 1, -1, 0, or NaN where it is not
    clear."""

    number: int
    rows: tuple[str, ...]
    scores: np.ndarray  # m n
    base: np.ndarray  # n
    truth: np.ndarray  # m

    def studies(self, seeds: int) -> Iterator[Planted]:
        """As many studies of so many seeds as there are; scores relative to the baseline, less 1."""
        unit = self.base.mean()
        for first in range(0, SEEDS - seeds + 1, seeds):
            cut = slice(first, first + seeds)
            scores, base = self.scores[None, :, cut] / unit - 1, self.base[None, cut] / unit - 1
            yield Planted(Plan((0.0,) * len(self.rows)), self.truth[None], scores, base)


def train(path: Path, folder: Path) -> None:
    """Trains what is missing in `folder`, ten minutes of one CPU core in all, and writes every score to a table."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "planted"))
    import random_worlds

    lines = [["world", "variant", *(f"seed {seed}" for seed in range(SEEDS))]]
    for number in range(random_worlds.WORLDS):
        for name, scores in random_worlds.train(number, folder, SEEDS).items():
            lines.append([str(number), name, *(f"{scores[seed]:.6f}" for seed in range(SEEDS))])
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(lines)


def read(path: Path) -> list[World]:
    with path.open(encoding="utf-8", newline="") as file:
        lines = list(csv.reader(file))[1:]
    found = []
    for number in sorted({int(line[0]) for line in lines}):
        table = {line[1]: np.array([float(text) for text in line[2:]]) for line in lines if int(line[0]) == number}
        base = table.pop(BASELINE)
        scores = np.stack(list(table.values()))
        found.append(World(number, tuple(table), scores, base, truth_of(tuple(table), scores - base)))
    return found


def truth_of(rows: Sequence[str], gains: np.ndarray) -> np.ndarray:
    t = gains.mean(axis=-1) / (gains.std(axis=-1, ddof=1) / np.sqrt(gains.shape[-1]))
    clear = np.where(np.abs(t) > CLEAR, np.sign(t), np.nan)
    return np.where([name in NULLS for name in rows], 0.0, clear)


class Line(NamedTuple):
    """false_winner: share of studies that say of a row that it helps which does nothing or hurts. found, right: of the
    rows that help, and of all clear rows."""

    rule: str
    runs: float
    studies: int
    false_winner: float
    false_any: float
    found: float
    right: float


def settled(planted: Planted) -> tuple[np.ndarray, float]:
    found = ours.until_settled(planted, unit=1.0, worth=WORTH)
    return found.words, float(found.runs.mean())


def at_once(words: Callable[[Planted], np.ndarray]) -> Callable[[Planted], tuple[np.ndarray, float]]:
    def judged(planted: Planted) -> tuple[np.ndarray, float]:
        return words(planted), planted.base.shape[-1] * (planted.truth.shape[1] + 1)

    return judged


RULES: tuple[tuple[str, int, Callable[[Planted], tuple[np.ndarray, float]]], ...] = (
    ("1 seed, above the baseline", 1, at_once(others.above)),
    ("mean of 3 seeds above (sweep tools)", 3, at_once(others.above)),
    ("mean of 5 seeds above", 5, at_once(others.above)),
    ("Welch, 3 seeds", 3, at_once(lambda planted: others.welch(planted, family=False))),
    ("Welch, 5 seeds", 5, at_once(lambda planted: others.welch(planted, family=False))),
    ("percentile bootstrap of the gain, 5 seeds", 5, at_once(others.paired_bootstrap)),
    ("own intervals apart, 5 seeds", 5, at_once(others.intervals_apart)),
    ("rliable's rule, 5 seeds", 5, at_once(others.probability_of_improvement)),
    ("ablate, own variance, 3 seeds", 3, at_once(lambda planted: ours.fixed(planted, "own"))),
    ("ablate, own variance, 5 seeds", 5, at_once(lambda planted: ours.fixed(planted, "own"))),
    ("ablate, 3 seeds", 3, at_once(ours.fixed)),
    ("ablate, 5 seeds", 5, at_once(ours.fixed)),
    ("ablate, until settled", ours.SCHEDULE.looks[-1], settled),
)


def lines(worlds: Sequence[World]) -> Iterator[Line]:
    for name, seeds, rule in RULES:
        winner, wrong, found, right, runs = [], [], [], [], []
        for world in worlds:
            for planted in world.studies(seeds):
                words, bought = rule(planted)
                word, truth = words[0], planted.truth[0]
                runs.append(bought)
                winner.append(bool(((word == 1) & (truth <= 0)).any()))
                wrong.append(winner[-1] or bool(((word == -1) & (truth >= 0)).any()))
                found.extend(word[truth == 1] == 1)
                clear = ~np.isnan(truth)
                right.extend(np.where(word == 2, 0, word)[clear] == truth[clear])
        yield Line(
            name, float(np.mean(runs)), len(winner), *(float(np.mean(part)) for part in (winner, wrong, found, right))
        )


def described(worlds: Sequence[World]) -> str:
    """What the worlds hold."""
    truth = np.concatenate([world.truth for world in worlds])
    nulls, up, down = int((truth == 0).sum()), int((truth == 1).sum()), int((truth == -1).sum())
    spread = [np.log((world.scores - world.base).std(axis=-1, ddof=1)).std(ddof=1) for world in worlds]
    return (
        f"{len(worlds)} worlds, {SEEDS} seeds, {len(truth)} rows: {nulls} that do nothing, {up} that help, {down} that "
        f"hurt, {len(truth) - nulls - up - down} not clear\nthe rows' paired noise is unlike: its logarithm has a "
        f"standard deviation of {np.median(spread):.2f} (median), {min(spread):.2f} to {max(spread):.2f}"
    )
