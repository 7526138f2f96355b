"""Whether the baseline's score may stand in a denominator, and whether it says anything at all.

Units and blocks of time tell how sure one score is, for they are many; two seeds that differ (.50 and .42) do not make
a model that predicts nothing.
"""

from ablate.analysis.cells import Cell
from ablate.analysis.row.cost import known_mean
from ablate.analysis.row.units import Ranges
from ablate.metric import METRICS

LEAST_SHARE = 0.02
"""Of the ceiling: below it a percentage is a ratio of two noises (a baseline of .001 made `+19,424 %`)."""


def at_chance(baseline: Cell, ranges: Ranges) -> bool:
    """Whether the baseline predicts no better than a constant: its range over units or over time reaches zero.

    Where the records have neither, it does when a seed's score is at or below zero. Zero means nothing of the kind in a
    metric that is not ours.
    """
    if not baseline.scores or any(score.metric not in METRICS for score in baseline.scored.values()):
        return False
    scores = baseline.scores.values()
    if sum(scores) <= 0:
        return True
    if ranges.units is None and ranges.time is None:
        return min(scores) <= 0
    return ranges.touch(0.0)


def under_the_ceiling(baseline: Cell) -> bool:
    """Whether its mean score is less than 2 % of what the true rates score; False where truth is not known."""
    ceiling = known_mean(score.attainable for score in baseline.scored.values())
    if not ceiling or not baseline.scores:
        return False
    return sum(baseline.scores.values()) / len(baseline.scores) < LEAST_SHARE * ceiling
