"""Runs that had not finished learning: stopped while climbing, or one seed on a level that the others have left."""

from collections.abc import Iterator, Sequence
from statistics import mean

import numpy as np

from ablate.analysis.outcome import LearningCurve, StudyAnalysis, VariantAnalysis
from ablate.analysis.outcome.guard import Guard
from ablate.analysis.words import listing, number, percent, signed

LEAST_POINTS = 4
"""A curve of fewer points has no last quarter."""
OF_GAIN, OF_SCORE = 0.2, 0.02
"""A rise over the last quarter beyond these shares may be the whole of the gain."""
APART = 0.15
"""Two modes: the lower lies below the upper by this share of it, and by three times what either scatters."""


def still_learning(analysis: StudyAnalysis) -> Iterator[Guard]:
    """The baseline, or a row with a verdict, whose validation score still rose over the last quarter of its steps."""
    for row in analysis.rows:
        rise = _rise(row)
        if rise is None or rise <= 0 or row.score is None or row.verdict not in ("baseline", "helps", "hurts"):
            continue
        claimed = row.gain is not None and rise > OF_GAIN * abs(row.gain.mean)
        if rise > OF_SCORE * abs(row.score.mean) or claimed:
            share = percent(rise / abs(row.gain.mean), 0) if row.gain is not None and row.gain.mean else ""
            size = f"{signed(rise)} {analysis.unit} in the last quarter of its steps"
            size += f", {share} of its gain" if share else ""
            sentence = f"{row.name} was still learning when its runs stopped ({size}): this ranks speed of learning."
            yield Guard("still learning", row.name, sentence, share)


def _rise(row: VariantAnalysis) -> float | None:
    """Mean over seeds of what the curve gained over the last quarter of its steps."""
    rises = [
        curve.values[-1] - float(np.interp(0.75 * curve.steps[-1], curve.steps, curve.values))
        for curve in row.curves
        if len(curve.values) >= LEAST_POINTS
    ]
    return mean(rises) if rises else None


def plateaus(analysis: StudyAnalysis) -> Iterator[Guard]:
    """Seeds of a row that ended flat on a level far below that of its other seeds."""
    for row in analysis.rows:
        curves = sorted(
            (curve for curve in row.curves if len(curve.values) >= LEAST_POINTS), key=lambda curve: curve.values[-1]
        )
        if len(curves) < 3:
            continue
        ends = np.array([curve.values[-1] for curve in curves])
        split = int(np.argmax(np.diff(ends))) + 1
        gap = float(ends[split] - ends[split - 1])
        widest = max(float(np.ptp(ends[:split])), float(np.ptp(ends[split:])))
        if gap <= APART * abs(float(ends[split:].mean())) or gap <= 3 * widest:
            continue
        stuck = [curve for curve in curves[:split] if curve.values[-1] - _halfway(curve) < gap / 5]
        if stuck:
            yield Guard("plateau", row.name, _stuck(stuck, gap, float(ends[split:].mean()), analysis.unit))


def _halfway(curve: LearningCurve) -> float:
    return float(np.interp(curve.steps[-1] / 2, curve.steps, curve.values))


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
