"""The third interval: would the gain hold in other minutes of the same recordings?

The test split's time is cut into blocks (`training/score/blocks.py`), each with what it adds to a session's mean score
less its fair share, averaged over the paired seeds. A block bootstrap (Künsch 1989) draws as many blocks of each
session with replacement; drawn from one set of draws, variant and baseline stay paired. The 2.5 and 97.5 percentiles
of the headline over 2,000 draws are the interval. It holds trainings and neurons fixed. A block must be longer than
what correlates in time: twenty blocks of a minute of test are three seconds each.

Reference: Künsch 1989, The jackknife and the bootstrap for general stationary observations, Ann. Stat. 17(3).
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from ablate.analysis.outcome import Interval
from ablate.analysis.statistics.gain import LEVEL
from ablate.result.measure.units import unit_tables

DRAWS = 2000
LEAST_BLOCKS = 5
"""Fewer blocks than this say nothing of other minutes."""

Blocks = tuple[Float[ndarray, " _"], ...]
"""One array a session: what each block adds to the session's mean, less its fair share."""


def read_blocks(content: object) -> Blocks | None:
    """From `units.json`; None where it has no blocks of time (older records, trials, correlations)."""
    try:
        found = tuple(np.array(session.get("blocks") or (), dtype=float) for session in unit_tables(content))
    except (AttributeError, TypeError, ValueError):
        return None
    scored = tuple(blocks for blocks in found if blocks.size)  # a session without a scored unit has none
    whole = all(blocks.ndim == 1 and len(blocks) >= LEAST_BLOCKS and np.isfinite(blocks).all() for blocks in scored)
    return scored if scored and whole else None


def mean_blocks(runs: Sequence[Blocks]) -> Blocks | None:
    """Averaged over seeds; None where there is none or the runs were cut differently."""
    if not runs or any([len(blocks) for blocks in run] != [len(blocks) for blocks in runs[0]] for run in runs):
        return None
    return tuple(np.mean([run[session] for run in runs], axis=0) for session in range(len(runs[0])))


def block_scores(value: float, blocks: Blocks | None) -> tuple[float, ...]:
    """The headline in each block, weighted as its spikes weigh in the whole, so that the blocks' mean is the headline:
    value + B * mean over sessions of D_b. Empty where sessions were cut into unlike numbers of blocks.
    """
    if not blocks or len({len(session) for session in blocks}) > 1:
        return ()
    return tuple((value + len(blocks[0]) * np.mean(blocks, axis=0)).tolist())


def time_interval(value: float, blocks: Blocks, *, seed: int = 0) -> Interval:
    """The interval of a headline (score or gain) whose blocks these are, over other minutes."""
    total = np.full(DRAWS, value)
    for session, drawn in zip(blocks, _drawn(tuple(map(len, blocks)), seed), strict=True):
        total += drawn @ session / len(blocks)
    low, high = np.quantile(total, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return Interval(float(low), float(high))


@lru_cache(maxsize=4)
def _drawn(counts: tuple[int, ...], seed: int) -> tuple[Float[ndarray, "draws _"], ...]:
    """How often each block of each session is drawn, the same for all rows: 10 MB for 30 sessions of 20 blocks."""
    generator = np.random.default_rng(seed)
    return tuple(generator.multinomial(count, np.full(count, 1 / count), size=DRAWS).astype(float) for count in counts)


def difference_of(variant: Blocks, baseline: Blocks) -> Blocks | None:
    """Paired block by block; None where the two were cut differently."""
    if [len(blocks) for blocks in variant] != [len(blocks) for blocks in baseline]:
        return None
    return tuple(own - base for own, base in zip(variant, baseline, strict=True))
