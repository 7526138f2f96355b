"""Takes a world (how seeds scatter) and a plan (what the patches do), gives planted studies: scores and the truth.

The unit of all scores is the standard deviation of a paired gain (variant minus baseline at one seed). Variant and
baseline correlate by `rho` over seeds, as runs with one seed do; all variants share the baseline's noise.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from seed_tables import residuals

MODES = (0.15, 2.5, 0.5)
"""Two-mode seeds: the share that has not left a plateau, how far below it lies, the scatter within a mode."""


class World(NamedTuple):
    """shape: of the noise. log_sd: how unlike the rows' noise is, the standard deviation of its logarithm: of the
    variants' scores, or where `paired` of the gains. Gains are in units of the row's own paired noise."""

    name: str
    shape: str = "normal"
    log_sd: float = 0.0
    rho: float = 0.5
    paired: bool = False


WORLDS = (
    World("normal"),
    World("seed tables", shape="public"),
    World("t, 3 degrees", shape="t3"),
    World("exponential", shape="exponential"),
    World("unlike .3", log_sd=0.3),
    World("unlike .6", log_sd=0.6),
    World("unlike 1.0", log_sd=1.0),
    World("gains unlike .6", log_sd=0.6, paired=True),
    World("gains unlike 1.0", log_sd=1.0, paired=True),
    World("two modes", shape="modes"),
    World("no pairing", rho=0.0),
    World("pairing .9", rho=0.9),
)
NORMAL = WORLDS[0]


class Plan(NamedTuple):
    """gains: of each row. diverging: rows that diverge at every third seed, however large their gain. pairs: (first,
    second, both) of rows that were also combined."""

    gains: tuple[float, ...]
    diverging: tuple[int, ...] = ()
    pairs: tuple[tuple[int, int, int], ...] = ()


HALF = Plan((0.0,) * 5 + (1.5, 2.0, 2.5, 3.0, 4.0))
NONE = Plan((0.0,) * 10)
MIXED = Plan(
    gains=(0.0, 0.0, 2.5, 4.0, -2.5, -4.0, *(3.0, 3.0, 3.0), *(0.0, 0.0, 4.0), *(2.5, 0.0, 2.5), 4.0),
    diverging=(15,),
    pairs=((6, 7, 8), (9, 10, 11), (12, 13, 14)),  # redundant, synergistic, without interplay
)


class Planted(NamedTuple):
    """s studies of m rows at n seeds. NaN: a seed that diverged."""

    plan: Plan
    truth: np.ndarray  # s m
    scores: np.ndarray  # s m n
    base: np.ndarray  # s n

    @property
    def barred(self) -> np.ndarray:
        """Which rows must not be said to help, whatever their finite seeds say: (m,)."""
        return np.isin(np.arange(len(self.plan.gains)), self.plan.diverging)

    def first(self, seeds: int) -> "Planted":
        return self._replace(scores=self.scores[..., :seeds], base=self.base[..., :seeds])

    def some(self, studies: int) -> "Planted":
        return self._replace(truth=self.truth[:studies], scores=self.scores[:studies], base=self.base[:studies])


def plant(world: World, plan: Plan, studies: int, seeds: int, seed: int) -> Planted:
    """The same numbers for the same arguments."""
    generator = np.random.default_rng(seed)
    noise = noise_of(world.shape, generator)
    rows, scale = len(plan.gains), np.sqrt(2 - 2 * world.rho)
    base, own = noise((studies, 1, seeds)), noise((studies, rows, seeds))
    spread = np.exp(world.log_sd * generator.standard_normal((studies, rows, 1)))
    alone = np.sqrt(1 - world.rho**2) * own
    if world.paired:
        noise_of_gain, size = ((world.rho - 1) * base + alone) * spread / scale, spread
    else:
        noise_of_gain = ((world.rho * base + alone) * spread - base) / scale
        size = np.sqrt(1 + spread**2 - 2 * world.rho * spread) / scale
    truth = np.array(plan.gains) * size[..., 0]
    base = base[:, 0] / scale
    scores = base[:, None] + truth[..., None] + noise_of_gain
    scores[:, list(plan.diverging), 1::3] = np.nan
    return Planted(plan, truth, scores, base)


def noise_of(shape: str, generator: np.random.Generator) -> Callable[[tuple[int, ...]], np.ndarray]:
    """Draws of mean 0 and variance 1."""
    share, depth, within = MODES
    draws: dict[str, Callable[[tuple[int, ...]], np.ndarray]] = {
        "normal": generator.standard_normal,
        "public": lambda size: generator.choice(residuals(), size),
        "t3": lambda size: generator.standard_t(3, size) / np.sqrt(3),
        "exponential": lambda size: generator.exponential(size=size) - 1,
        "modes": lambda size: (
            (within * generator.standard_normal(size) - depth * (generator.random(size) < share) + depth * share)
            / np.sqrt(within**2 + depth**2 * share * (1 - share))
        ),
    }
    return draws[shape]
