"""The noise model itself: a control that moved, and rows that scatter unlike the others."""

from collections.abc import Iterator

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from scipy.special import fdtr

from ablate.analysis.outcome import StudyAnalysis
from ablate.analysis.outcome.guard import Guard
from ablate.analysis.statistics.noise import ALPHA
from ablate.analysis.words import number, p_value, signed

DOUBT = 0.05
"""Two-sided, shared among the rows: an honest study is told of a spread in one of twenty cases at most."""


def moved_controls(analysis: StudyAnalysis) -> Iterator[Guard]:
    """A control changes nothing, so a gain that is clear of zero says that the noise is larger than the seeds show."""
    for row in analysis.rows:
        gain = row.gain
        if row.role == "control" and gain is not None and gain.p_holm is not None and gain.p_holm <= ALPHA:
            size = f"{signed(gain.mean)} {analysis.unit}, p {p_value(gain.p_holm)}"
            yield Guard(
                "control moved",
                row.name,
                f"the control {row.name} moved ({size}) though it changes nothing: the noise model is broken, and no "
                "verdict of this study can be trusted.",
            )


def unlike_spreads(analysis: StudyAnalysis) -> Iterator[Guard]:
    """F test of each row's variance against that of the others together."""
    known = [
        (row.name, gain.spread**2, len(gain.seeds) - 1)
        for row in analysis.rows
        if row.role in ("variant", "control") and (gain := row.gain) is not None and gain.spread
    ]
    if len(known) < 3:
        return
    variances, freedom = (np.array([row[column] for row in known], dtype=float) for column in (1, 2))
    totals = freedom.sum() - freedom
    usuals = _sums_of_others(variances * freedom) / totals
    unlike = fdtr(freedom, totals, variances / usuals)
    for (name, variance, _), usual, below in zip(known, usuals.tolist(), unlike.tolist(), strict=True):
        if min(below, 1 - below) <= DOUBT / (2 * len(known)):
            word = "less" if variance < usual else "more"
            yield Guard(
                "spread",
                name,
                f"{name} scatters {word} over seeds than the other rows ({number(variance**0.5, 4)} against "
                f"{number(usual**0.5, 4)} {analysis.unit}): its own interval is not to be trusted alone.",
            )


def _sums_of_others(values: Float[ndarray, " m"]) -> Float[ndarray, " m"]:
    """Of each, the sum of all others: added from both ends, since the whole less one loses the small beside a large."""
    before, after = np.cumsum(values), np.cumsum(values[::-1])[::-1]
    return np.concatenate([[0.0], before[:-1]]) + np.concatenate([after[1:], [0.0]])
