"""This program's own rules, by its own functions: fixed seeds as arrays or study by study, and run until settled."""

from typing import NamedTuple

import numpy as np
from arrays import until_settled as settled_arrays
from worlds import Planted

from ablate.analysis.beside.attribution import attribute
from ablate.analysis.cells import Cell, Cells
from ablate.analysis.outcome import Gain
from ablate.analysis.row.gains import judge_family, paired_gains, rows_prior
from ablate.analysis.row.verdict import judge
from ablate.analysis.statistics.family import holm
from ablate.analysis.statistics.gain import two_sided_p
from ablate.analysis.statistics.moderated import MOST_PRIOR_DEGREES, moderate
from ablate.analysis.stopping.settle import settle
from ablate.result import Schedule
from ablate.result.manifest import AnalysisRule, VariantEntry
from ablate.result.record import RunRecord

WORDS = {"helps": 1, "hurts": -1, "negligible": 2}
SCHEDULE = Schedule(seeds=tuple(range(12)))
UNIT = 0.001
"""A standard deviation of a paired gain, relative to a baseline of 1: the baseline's own noise then plays no part."""
WORTH = 1.25
"""The smallest gain worth having, in the same standard deviations."""


def fixed(planted: Planted, variance: str = "moderated") -> np.ndarray:
    """Words of studies whose every seed is finite, thousands at a time."""
    differences = planted.scores - planted.base[:, None]
    n = differences.shape[-1]
    most = MOST_PRIOR_DEGREES if variance == "moderated" else 0.0
    found = moderate(differences.var(axis=-1, ddof=1), n - 1.0, most=most)
    mean = differences.mean(axis=-1)
    p = two_sided_p(mean, np.sqrt(found.variance / n), found.degrees)
    return np.where(holm(p) <= 0.05, np.sign(mean), 0)


def fixed_by_study(planted: Planted, variance: str = "moderated") -> tuple[np.ndarray, list[tuple[str, ...]]]:
    """Words, and what is said of each pair of the plan, of whole studies: also with seeds that diverged."""
    rule = AnalysisRule(worth=WORTH * UNIT, variance=variance)
    words, said = np.zeros(planted.truth.shape, int), []
    for study in range(len(planted.truth)):
        cells = cells_of(planted, study)
        prior = rows_prior(cells, rule)
        rows = [gain for gain in paired_gains(cells, prior, relative=True)[1:] if gain is not None]
        judged = judge_family(rows, rule.worth)
        words[study] = [word(cell, gain, rule) for cell, gain in zip(cells.cells[1:], judged, strict=True)]
        pairs = attribute(cells.cells, cells.baseline, None, (), relative=False, prior=prior).pairs
        said.append(tuple(pair.interplay for pair in pairs))
    return words, said


class Sequential(NamedTuple):
    """Of each study: words and seeds by row (s m), runs (s,), whether the repeated 95 % interval of the gain, and of
    the gain relative to the baseline, holds the truth (s m; NaN where there is none)."""

    words: np.ndarray
    seeds: np.ndarray
    runs: np.ndarray
    held: np.ndarray
    held_relative: np.ndarray


def until_settled(planted: Planted, *, unit: float = UNIT, worth: float = WORTH) -> Sequential:
    """Every study run until settled, all seeds finite, as arrays. unit: as `UNIT`. worth: in standard deviations of a
    paired gain."""
    differences = unit * (planted.scores - planted.base[:, None])
    found = settled_arrays(differences, 1 + unit * planted.base, SCHEDULE.looks, worth * unit)
    truth = planted.truth * unit
    held = (found.absolute[0] <= truth) & (truth <= found.absolute[1])
    low, high = found.relative
    held_relative = np.where(np.isnan(low), np.nan, (low <= truth) & (truth <= high))
    runs = found.seeds.sum(axis=1) + found.seeds.max(axis=1)
    return Sequential(found.words, found.seeds, runs, held.astype(float), held_relative)


def until_settled_by_study(planted: Planted, *, unit: float = UNIT, worth: float = WORTH) -> Sequential:
    """The same by the program itself, study by study: also with seeds that diverged."""
    rule = AnalysisRule(worth=worth * unit)
    shape = planted.truth.shape
    words, seeds = np.zeros(shape, int), np.zeros(shape, int)
    held, held_relative = np.full(shape, np.nan), np.full(shape, np.nan)
    for study in range(shape[0]):
        cells = cells_of(planted, study, unit)
        state = settle(cells, SCHEDULE, rule)
        assert not state.buy
        for row, cell in enumerate(cells.cells[1:]):
            standing, truth = state.rows[cell.entry.name], planted.truth[study, row] * unit
            gain = standing.gain
            words[study, row] = word(cell, gain, rule)
            seeds[study, row] = standing.look.here
            if gain is not None and gain.interval is not None:
                held[study, row] = gain.interval.low <= truth <= gain.interval.high
            if gain is not None and gain.relative_interval is not None:
                held_relative[study, row] = gain.relative_interval.low <= truth <= gain.relative_interval.high
    return Sequential(words, seeds, seeds.sum(axis=1) + seeds.max(axis=1), held, held_relative)


def word(cell: Cell, gain: Gain | None, rule: AnalysisRule) -> int:
    return WORDS.get(judge(cell, gain, planned=SCHEDULE.looks[-1], worth=rule.worth)[0], 0)


def cells_of(planted: Planted, study: int, unit: float = UNIT) -> Cells:
    """One study as the program holds it: a baseline of 1, the rows above or below it; NaN is a run that diverged."""
    combined = {both: (f"p{first}", f"p{second}") for first, second, both in planted.plan.pairs}
    base = _cell(VariantEntry(name="baseline", role="baseline"), 1 + unit * planted.base[study])
    rows = []
    for row, scores in enumerate(planted.scores[study]):
        patches = combined.get(row, (f"p{row}",))
        entry = VariantEntry(name="+".join(patches), role="variant", patches=patches)
        rows.append(_cell(entry, 1 + unit * scores))
    return Cells(base, (base, *rows), (), 0)


def _cell(entry: VariantEntry, scores: np.ndarray) -> Cell:
    finite = {seed: float(score) for seed, score in enumerate(scores) if np.isfinite(score)}
    diverged = {
        seed: RunRecord(
            key=f"{entry.name}-{seed}", study="planted", variant=entry.name, seed=seed, state="diverged", config={}
        )
        for seed in range(len(scores))
        if seed not in finite
    }
    return Cell(entry, diverged, {}, "", finite)
