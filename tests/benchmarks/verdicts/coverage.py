"""Do 95 % intervals hold the truth in 95 % of rows, and do 80 % powers find 80 %? By the program's own functions."""

from collections.abc import Iterator
from typing import NamedTuple

import arrays
import numpy as np
import ours
from worlds import NORMAL, Plan, Planted, plant

from ablate.analysis.statistics.moderated import MOST_PRIOR_DEGREES, OWN, Prior
from ablate.analysis.statistics.noise import ALPHA, POWER, power, seeds_needed, smallest_detectable_gain
from ablate.analysis.stopping.power import detectable_by_looks

TRUE_GAINS = (0.05, 0.5, 1.0)
"""Relative to the baseline."""
NOISE = (0.05, 0.25)
"""Standard deviation of a paired gain, relative to the baseline."""
ROWS = 10


class Held(NamedTuple):
    """gain: true, relative. share: of the intervals that hold it. without: share of rows that have no interval, since
    the baseline is not clear of zero."""

    variance: str
    noise: float
    seeds: str
    gain: float
    share: float
    without: float


def fixed_intervals(studies: int, seed: int) -> Iterator[Held]:
    """Fieller's intervals of ten rows at 3, 5 and 10 seeds, as arrays."""
    for noise in NOISE:
        for gain in TRUE_GAINS:
            planted = plant(NORMAL, Plan((gain / noise,) * ROWS), studies, 10, seed)
            for variance in ("own", "moderated"):
                for seeds in (3, 5, 10):
                    low, high = relative_ends(planted.first(seeds), noise, variance)
                    without = np.isnan(low)
                    inside = ((low <= gain) & (gain <= high))[~without]
                    yield Held(variance, noise, str(seeds), gain, float(inside.mean()), float(without.mean()))


def relative_ends(planted: Planted, unit: float, variance: str) -> arrays.Ends:
    """Ends of the 95 % intervals of gains over a baseline of 1."""
    differences = unit * (planted.scores - planted.base[:, None])
    return arrays.fieller_ends(arrays.sums(differences, 1 + unit * planted.base).moderated(variance), 0.95)


def intervals_after_stopping(studies: int, seed: int) -> Iterator[Held]:
    """Repeated Fieller intervals of rows that were run until settled, beside a noisy baseline."""
    gains = (0.0, *TRUE_GAINS)
    for noise in (*NOISE, 0.5):
        planted = plant(NORMAL, Plan(tuple(gain / noise for gain in gains for _ in range(3))), studies, 12, seed)
        found = ours.until_settled(planted, unit=noise)
        for place, gain in enumerate(gains):
            held = found.held_relative[:, 3 * place : 3 * place + 3]
            yield Held("moderated", noise, "settled", gain, float(np.nanmean(held)), float(np.isnan(held).mean()))


class Power(NamedTuple):
    """What is promised, the power that is said, and the share of studies that found it."""

    promise: str
    gain: float
    seeds: str
    said: float
    found: float


def powers(studies: int, seed: int) -> Iterator[Power]:
    """One real gain among ten rows, of the size that is said to be found in 80 % of studies."""
    for variance in ("own", "moderated"):
        for seeds in (3, 5, 10):
            gain = smallest_detectable_gain(1.0, seeds, patches=ROWS, moderated=variance == "moderated")
            assert gain is not None
            found = _found(gain, seeds, variance, studies, seed)
            yield Power(f"smallest detectable, {variance}", gain, str(seeds), POWER, found)
    for gain in (1.5, 2.5):
        for variance, prior in (("own", OWN), ("moderated", Prior(1.0, MOST_PRIOR_DEGREES, ROWS))):
            (needed,) = seeds_needed([gain], [1.0], [float(ROWS)], prior)
            assert needed is not None
            for seeds in (needed - 1, needed):
                name = f"seeds needed {'less one' if seeds < needed else ''}".strip()
                numbers = (np.array([value]) for value in (gain, 1.0, float(seeds), ALPHA / ROWS))
                found = _found(gain, seeds, variance, studies, seed)
                yield Power(f"{name}, {variance}", gain, str(seeds), float(power(*numbers, prior)[0]), found)
    for worth in (1e-6, ours.WORTH):
        gain = detectable_by_looks(ours.SCHEDULE.looks, ROWS, worth=worth)
        planted = plant(NORMAL, Plan((gain, *(0.0,) * (ROWS - 1))), studies, 12, seed)
        settled = ours.until_settled(planted, worth=worth)
        name = f"until settled, worth {worth:.2g} sd" if worth > 1e-3 else "until settled"
        yield Power(name, gain, "12", POWER, float((settled.words[:, 0] == 1).mean()))


def _found(gain: float, seeds: int, variance: str, studies: int, seed: int) -> float:
    planted = plant(NORMAL, Plan((gain, *(0.0,) * (ROWS - 1))), studies, seeds, seed)
    return float((ours.fixed(planted, variance)[:, 0] == 1).mean())
