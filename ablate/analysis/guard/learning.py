"""Runs that had not finished learning: stopped while climbing, or one seed on a level that the others have left."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from statistics import mean, median
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy import ndarray

from ablate.analysis.outcome import LearningCurve, StudyAnalysis, VariantAnalysis
from ablate.analysis.outcome.guard import Guard
from ablate.analysis.statistics.family import holm
from ablate.analysis.statistics.gain import two_sided_p
from ablate.analysis.statistics.moderated import moderate
from ablate.analysis.words import listing, number, percent, signed

LEAST_POINTS = 4
"""A curve of fewer points has no last quarter."""
OF_GAIN, OF_SCORE = 0.2, 0.02
"""A rise over the last quarter beyond these shares may be the whole of the gain."""
SURE = 0.05
"""One-sided, Holm over the rows, for each of two bounds of the noise: a curve rises only if its rise is clear of it."""
MORE_STEPS = {
    "negligible": "more steps may take it out of +-{worth}",
    "reference": "what is measured against it may be another number after more steps",
}
APART, BEYOND = 0.15, 4.0
"""Two modes: the lower lies below the upper by this share of it, and by so many standard deviations of the seeds."""


def still_learning(analysis: StudyAnalysis) -> Iterator[Guard]:
    """The baseline, or a row with a verdict, whose validation score still rose over the last quarter of its steps.

    Rows that are `negligible` and references claim no gain: they are asked apart, and for more.
    """
    for row, rise in _climbing(analysis, ("baseline", "helps", "hurts")):
        share = percent(rise / abs(row.gain.mean), 0) if row.gain is not None and row.gain.mean else ""
        size = _size(rise, analysis.unit) + (f", {share} of its gain" if share else "")
        sentence = f"{row.name} was still learning when its runs stopped ({size}): this ranks speed of learning."
        yield Guard("still learning", row.name, sentence, share)
    for row, rise in _climbing(analysis, ("negligible", "reference")):
        size = _size(rise, analysis.unit)
        end = MORE_STEPS[row.verdict].format(worth=percent(analysis.rule.worth))
        yield Guard("still learning", row.name, f"{row.name} was still learning when its runs stopped ({size}): {end}.")


def _climbing(analysis: StudyAnalysis, verdicts: Sequence[str]) -> Iterator[tuple[VariantAnalysis, float]]:
    """The rows with these verdicts whose rise is clear of noise, and large beside their score or a gain that they
    claim; beside score and distance from the baseline, where they claim none."""
    asked = [
        (row, row.score.mean, curves)
        for row in analysis.rows
        if row.score is not None and row.verdict in verdicts and (curves := _whole(row.curves))
    ]
    for (row, score, curves), rising in zip(asked, _rising([curves for *_, curves in asked]), strict=True):
        rise = mean(map(last_rise, curves))
        limits = [OF_SCORE * abs(score), *([OF_GAIN * abs(row.gain.mean)] if row.gain is not None else [])]
        if rising and rise > (min if "helps" in verdicts else max)(limits):
            yield row, rise


def _size(rise: float, unit: str) -> str:
    return f"{signed(rise)} {unit} in the last quarter of its steps"


def _whole(curves: Sequence[LearningCurve]) -> list[LearningCurve]:
    return [curve for curve in curves if len(curve.values) >= LEAST_POINTS]


def last_rise(curve: LearningCurve) -> float:
    """What a curve gained over the last quarter of its steps."""
    return curve.values[-1] - float(np.interp(0.75 * curve.steps[-1], curve.steps, curve.values))


def _rising(rows: Sequence[Sequence[LearningCurve]]) -> list[bool]:
    """Whether each row's mean rise is above zero by a moderated t test against either of two bounds of its noise.

    A rise is the difference of two single scores, so its variance is twice theirs: without a test up to half of all
    studies with flat curves were accused (results/benchmarks/verdicts/guards.txt). What bends a curve over its second
    half is noise, var(y[i-1] - 2 y[i] + y[i+1]) = 6 sigma^2 whatever the slope, and its shape besides: of few scores it
    hides a rise that all seeds have. What the rise differs from seed to seed is noise, and how unlike seeds learn
    besides. Neither is too small, so that a row rises by either.
    """
    if not rows:
        return []
    rises = [[last_rise(curve) for curve in curves] for curves in rows]
    count = np.array([len(curves) for curves in rows])
    bends = [np.concatenate([_bends(curve) for curve in curves]) for curves in rows]
    of_bends = 2 * np.array([(bend**2).mean() / 6 for bend in bends])
    # neighbouring bends share two of three scores: n of them tell as much as about n 18 / 35 that share none
    degrees = np.array([max(len(bend) * 18 / 35, 1.0) for bend in bends])
    means = np.array([mean(rise) for rise in rises])
    rising = _clear(means, of_bends, degrees, count)
    if (several := count > 1).any():
        of_seeds = np.array([np.var(rise, ddof=1) for rise, some in zip(rises, several, strict=True) if some])
        rising[several] |= _clear(means[several], of_seeds, count[several] - 1.0, count[several])
    return [bool(one) for one in rising]


def _clear(
    means: Float[ndarray, " m"],
    variance: Float[ndarray, " m"],
    degrees: Float[ndarray, " m"],
    count: Int[ndarray, " m"],
) -> Bool[ndarray, " m"]:
    """Which means of `count` numbers of this variance are above zero, one-sided, Holm over the rows."""
    found = moderate(variance, degrees)
    p = two_sided_p(means, np.sqrt(found.variance / count), found.degrees) / 2
    return holm(np.where(means > 0, p, 1.0)) <= SURE


def _bends(curve: LearningCurve) -> Float[ndarray, " _"]:
    """Second differences of the scores of the second half, of at least four."""
    late = max(sum(step >= curve.steps[-1] / 2 for step in curve.steps), LEAST_POINTS)
    return np.diff(np.array(curve.values[-late:]), n=2)


class _Split(NamedTuple):
    """Curves of a row, the lowest last value first, cut at their widest gap. within: standard deviation about the means
    of both sides."""

    curves: list[LearningCurve]
    place: int
    gap: float
    within: float


def plateaus(analysis: StudyAnalysis) -> Iterator[Guard]:
    """Seeds of a row that ended flat on a level far below that of its other seeds.

    Far: by what the seeds of all rows scatter, since the widest gap of three seeds of one row is often wide beside what
    is left. The median over rows of what is left knows nothing of the rows with two modes, while these are not most.
    """
    splits = [_split(row.curves) for row in analysis.rows]
    known = [split for split in splits if split is not None]
    usual = median([split.within / _narrowed(len(split.curves)) for split in known]) if known else 0.0
    for row, split in zip(analysis.rows, splits, strict=True):
        if split is None:
            continue
        upper = mean(curve.values[-1] for curve in split.curves[split.place :])
        if split.gap <= APART * abs(upper) or split.gap <= BEYOND * max(usual, split.within):
            continue
        lower = split.curves[: split.place]
        halfway = [float(np.interp(curve.steps[-1] / 2, curve.steps, curve.values)) for curve in lower]
        stuck = [curve for curve, then in zip(lower, halfway, strict=True) if curve.values[-1] - then < split.gap / 5]
        if stuck:
            yield Guard("plateau", row.name, _stuck(stuck, split.gap, upper, analysis.unit))


def _split(curves: Sequence[LearningCurve]) -> _Split | None:
    """None for fewer than three curves."""
    held = sorted(_whole(curves), key=lambda curve: curve.values[-1])
    if len(held) < 3:
        return None
    place, gap, within = (float(values[0]) for values in _cut(np.array([[curve.values[-1] for curve in held]])))
    return _Split(held, int(place), gap, within)


def _cut(
    ends: Float[ndarray, "s n"],
) -> tuple[Float[ndarray, " s"], Float[ndarray, " s"], Float[ndarray, " s"]]:
    """Of sorted values: how many lie below the widest gap, the gap, the standard deviation about both sides' means."""
    n = ends.shape[1]
    gaps = np.diff(ends, axis=1)
    place = gaps.argmax(axis=1) + 1
    low = np.arange(n) < place[:, None]
    left = np.zeros(len(ends))
    for side in (low, ~low):
        middle = np.where(side, ends, 0.0).sum(axis=1) / side.sum(axis=1)
        left += (np.where(side, ends - middle[:, None], 0.0) ** 2).sum(axis=1)
    return place.astype(float), gaps.max(axis=1), np.sqrt(left / (n - 2))


@lru_cache(maxsize=64)
def _narrowed(seeds: int) -> float:
    """What a cut at the widest gap leaves of a standard deviation, where there are no two modes: the median of 4,000
    normal samples."""
    drawn = np.sort(np.random.default_rng(0).standard_normal((4000, seeds)), axis=1)
    return float(np.median(_cut(drawn)[2]))


def _stuck(curves: Sequence[LearningCurve], gap: float, others: float, unit: str) -> str:
    seeds = listing(
        [f"seed {curve.seed} ({number(curve.values[-1])} since step {_since(curve, gap)})" for curve in curves]
    )
    verb = "has" if len(curves) == 1 else "have"
    return (
        f"{seeds} of {curves[0].variant} {verb} stood on a level that its other seeds left ({number(others)} {unit}): "
        "its seeds end on one of two levels, so no t interval holds."
    )


def _since(curve: LearningCurve, gap: float) -> int:
    """The step from which its score has stood where it ends."""
    near = [abs(value - curve.values[-1]) < gap / 5 for value in curve.values]
    return next(step for index, step in enumerate(curve.steps) if all(near[index:]))
