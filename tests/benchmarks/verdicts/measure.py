"""Takes words and the planted truth, gives what a rule is worth: runs, false winners, what was found, words right."""

from typing import NamedTuple

import numpy as np
from ours import WORTH
from worlds import Planted


class Worth(NamedTuple):
    """Shares of studies or rows. found: of the rows with each gain, how many are said to help."""

    studies: int
    runs: float
    false_winner: float
    false_any: float
    found: dict[float, float]
    right: float


def worth_of(planted: Planted, words: np.ndarray, runs: float | np.ndarray, least: float = WORTH) -> Worth:
    """false_winner: studies that say of some row that it helps which does not, or which diverges. false_any: or hurts,
    or is negligible, which it is not. least: the smallest gain worth having, in the units of the truth."""
    truth, barred = planted.truth, planted.barred
    winner = (words == 1) & ((truth <= 0) | barred)
    wrong = winner | ((words == -1) & (truth >= 0)) | ((words == 2) & (np.abs(truth) >= least))
    small = (words == 2) & (np.abs(truth) < least)
    right = np.where(barred, words != 1, small | (words == np.sign(truth)))
    gains = np.array(planted.plan.gains)
    found = {float(gain): float((words[:, (gains == gain) & ~barred] == 1).mean()) for gain in set(gains[gains > 0])}
    return Worth(
        studies=len(truth),
        runs=float(np.mean(runs)),
        false_winner=float(winner.any(axis=1).mean()),
        false_any=float(wrong.any(axis=1).mean()),
        found=dict(sorted(found.items())),
        right=float(right.mean()),
    )
