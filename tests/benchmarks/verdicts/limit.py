"""What three seeds can tell at most: our rule beside one that knows what no study knows.

    t = |mean(d)| / sqrt((d0 s0^2 + nu s^2) / (d0 + nu))

The oracle's s0 is the true median spread of the world's rows, its d0 the best of a grid for each world, and its
threshold such that 4 % of studies of nulls in this very world name a row. Our rule fits both to ten rows.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import ours
from worlds import HALF, NONE, WORLDS, Planted, World, plant

SEEDS = 3
DEGREES = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
LEVEL = 0.04
UNLIKE = ("unlike .6", "unlike 1.0", "gains unlike .6", "gains unlike 1.0")
SIZES = (1.5, 2.5, 4.0)


class Limit(NamedTuple):
    """Shares of the gains of 1.5, 2.5 and 4 standard deviations that are found, by our rule and by the oracle, and the
    oracle's d0 of the largest sum."""

    world: str
    ours: dict[float, float]
    oracle: dict[float, float]
    degrees: float


def limits(studies: int, seed: int) -> Iterator[Limit]:
    for world in WORLDS:
        if world.name in UNLIKE:
            yield limit(world, studies, seed)


def limit(world: World, studies: int, seed: int) -> Limit:
    real, null = plant(world, HALF, studies, SEEDS, seed), plant(world, NONE, studies, SEEDS, seed + 1)
    found = {}
    for d0 in DEGREES:
        bound = np.quantile(_t(null, d0).max(axis=1), 1 - LEVEL)
        found[d0] = _shares(_t(real, d0) > bound)
    best = max(DEGREES, key=lambda d0: sum(found[d0].values()))
    return Limit(world.name, _shares(ours.fixed(real) == 1), found[best], best)


def _t(planted: Planted, d0: float) -> np.ndarray:
    """A paired gain's median spread is 1 in these worlds, up to the baseline's own share of it."""
    differences = planted.scores - planted.base[:, None]
    nu = SEEDS - 1
    variance = (d0 + nu * differences.var(axis=-1, ddof=1)) / (d0 + nu)
    return np.asarray(np.abs(differences.mean(axis=-1)) / np.sqrt(variance))


def _shares(said: np.ndarray) -> dict[float, float]:
    gains = np.array(HALF.gains)
    return {size: float(said[:, gains == size].mean()) for size in SIZES}
