"""What `worth` costs a study that is run until settled: a smaller one asks more seeds of what does nothing."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import ours
from measure import Worth, worth_of
from worlds import HALF, NORMAL, plant

LEAST = (0.5, 0.75, 1.0, 1.25, 1.5)
"""In standard deviations of a paired gain; the smallest planted gain is 1.5."""


class Settled(NamedTuple):
    """held: share of the repeated 95 % intervals that hold the truth."""

    least: float
    worth: Worth
    held: float


def by_worth(studies: int, seed: int) -> Iterator[Settled]:
    planted = plant(NORMAL, HALF, studies, ours.SCHEDULE.looks[-1], seed + 20)
    for least in LEAST:
        found = ours.until_settled(planted, worth=least)
        yield Settled(least, worth_of(planted, found.words, found.runs, least), float(np.nanmean(found.held)))
