"""The second interval: would the gain hold for other neurons, recorded in other sessions?

Every unit's gain is averaged over the paired seeds. Then a hierarchical bootstrap (Saravanan, Berman & Sober 2020):
draw sessions with replacement, within every drawn session draw its units with replacement, and take the headline's
statistic, the mean over units of each session, then over sessions. The 2.5 and 97.5 percentiles of 2,000 such draws
are the interval.

It holds the trainings fixed and varies the neurons; the interval over seeds does the reverse. With one session only
its units are redrawn; with two or three the interval is too short, for sessions vary more than so few can show.

Differs in: one set of draws, seeded by the layout of the units, serves all variants, so that intervals can be
compared and the same input gives the same output.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from ablate.analysis.outcome import Interval
from ablate.analysis.statistics.gain import LEVEL
from ablate.result.measure.units import unit_tables

DRAWS = 2000
BLOCK = 4_000_000
"""Drawn units held in memory at a time."""
DIGITS = 12
"""Decimals kept: the last bit of a product depends on how many tables share it, and a row must not."""
TOGETHER = 128
"""Tables whose draws are worked out in one product."""


@dataclass(frozen=True)
class Units:
    """The per-unit scores of one run, one array a session with NaN for an excluded unit.

    entries: index of each unit (for fusion: trial) in its session.
    """

    names: tuple[str, ...]
    entries: tuple[tuple[int, ...], ...]
    values: tuple[Float[ndarray, " _"], ...]

    @property
    def flat(self) -> Float[ndarray, " u"]:
        return np.concatenate(self.values)


def read_units(content: object) -> Units | None:
    """`units.json` as arrays: `{"sessions": [{"name": ..., "entry": [0, 1, ...], "value": [0.31, null, ...]}, ...]}`.

    None for anything that does not hold per-unit scores: the report goes on without the second interval.
    """
    tables = unit_tables(content)
    if not tables:
        return None
    try:
        names = tuple(str(session["name"]) for session in tables)
        values = tuple(np.array(session["value"], dtype=float) for session in tables)  # null becomes NaN
        entries = tuple(
            tuple(session.get("entry", range(len(value)))) for session, value in zip(tables, values, strict=True)
        )
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
    fits = all(value.ndim == 1 and len(entry) == len(value) for entry, value in zip(entries, values, strict=True))
    return Units(names, entries, values) if fits else None


@dataclass(frozen=True)
class UnitTable:
    """Seed-averaged scores of the same units for two variants; excluded units are NaN in both."""

    names: tuple[str, ...]
    entries: tuple[tuple[int, ...], ...]
    baseline: Float[ndarray, " u"]
    score: Float[ndarray, " u"]
    sign: float = 1.0
    """-1 where a lower score is better."""

    @property
    def sizes(self) -> tuple[int, ...]:
        return tuple(len(entry) for entry in self.entries)

    @property
    def gain(self) -> Float[ndarray, " u"]:
        return self.sign * (self.score - self.baseline)


def paired_units(pairs: Sequence[tuple[Units, Units]], sign: float = 1.0) -> UnitTable | None:
    """(baseline, variant) of each shared seed averaged over seeds; None when the layouts of units differ."""
    if not pairs:
        return None
    first = pairs[0][0]
    if any((units.names, units.entries) != (first.names, first.entries) for pair in pairs for units in pair):
        return None
    baseline = np.mean([base.flat for base, _ in pairs], axis=0)
    score = np.mean([variant.flat for _, variant in pairs], axis=0)
    missing = np.isnan(baseline) | np.isnan(score)
    base, own = (np.where(missing, np.nan, values) for values in (baseline, score))
    return UnitTable(first.names, first.entries, base, own, sign)


def draw_weights(sizes: Sequence[int], *, draws: int = DRAWS, seed: int = 0) -> Float[ndarray, "draws u"]:
    """How much each unit weighs in each draw; every row sums to one, so a draw's statistic is `weights @ gains`.

    sizes: scored units a session; sessions without any are never drawn.
    """
    counts = np.array([size for size in sizes if size > 0])
    if not len(counts):
        return np.zeros((draws, 0))
    offsets = np.concatenate([[0], np.cumsum(counts)[:-1]])
    generator = np.random.default_rng(seed)
    sessions = generator.integers(0, len(counts), (draws, len(counts)))  # draws slot
    weights = np.zeros((draws, int(counts.sum())))
    width = int(counts.max())
    block = max(1, BLOCK // (len(counts) * width))
    for start in range(0, draws, block):
        drawn = sessions[start : start + block]
        size = counts[drawn][..., None]  # block slot 1
        picks = np.floor(generator.random((*drawn.shape, width)) * size).astype(np.int64)
        cells = offsets[drawn][..., None] + picks + np.arange(len(drawn))[:, None, None] * weights.shape[1]
        share = np.where(np.arange(width) < size, 1.0 / (size * len(counts)), 0.0)
        total = np.bincount(cells.ravel(), weights=share.ravel(), minlength=len(drawn) * weights.shape[1])
        weights[start : start + block] = total.reshape(len(drawn), -1)
    return weights


def unit_intervals(tables: Sequence[UnitTable | None]) -> list[Interval | None]:
    """The second interval of each table; None where there is no table or fewer than two scored units."""
    found: list[Interval | None] = [None] * len(tables)
    alike: dict[bytes, list[int]] = {}  # layout -> tables that share their draws
    for index, table in enumerate(tables):
        if table is not None and (~np.isnan(table.gain)).sum() >= 2:
            layout = repr((table.names, table.sizes)).encode() + (~np.isnan(table.gain)).tobytes()
            alike.setdefault(layout, []).append(index)
    for layout, members in alike.items():
        first = tables[members[0]]
        assert first is not None
        kept = ~np.isnan(first.gain)
        sizes = [int(part.sum()) for part in np.split(kept, np.cumsum(first.sizes)[:-1])]
        weights = draw_weights(sizes, seed=int.from_bytes(hashlib.sha256(layout).digest()[:8], "big"))
        for start in range(0, len(members), TOGETHER):  # one product for many tables: the weights are read once
            block = members[start : start + TOGETHER]
            gains = np.stack([table.gain[kept] for index in block if (table := tables[index]) is not None], axis=1)
            ends = np.quantile(weights @ gains, [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0).T
            for index, (low, high) in zip(block, np.round(ends, DIGITS).tolist(), strict=True):
                found[index] = Interval(low, high)
    return found
