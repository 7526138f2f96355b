"""Per-unit scores beside the baseline's, and the second interval of each gain: over other neurons."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ablate.analysis.cells import Cell, Cells
from ablate.analysis.outcome import Gain, Interval
from ablate.analysis.statistics.units import Units, UnitTable, paired_units, read_units, unit_intervals

UnitsLoader = Callable[[str], Any]
"""Run key -> content of `units.json`, or None where it is missing."""


def unit_tables(cells: Cells, load: UnitsLoader | None) -> list[UnitTable | None]:
    """Seed-averaged per-unit scores of each comparable cell beside the baseline's; each run's file is read once."""
    if load is None:
        return [None] * len(cells.cells)
    read: dict[str, Units | None] = {}

    def units_of(cell: Cell, seed: int) -> Units | None:
        key = cell.records[seed].key
        if key not in read:
            read[key] = read_units(load(key))
        return read[key]

    tables: list[UnitTable | None] = []
    for cell in cells.cells:
        if not cell.comparable:
            tables.append(None)
            continue
        seeds = [seed for seed in cell.scores if seed in cells.baseline.scores]
        pairs = [(units_of(cells.baseline, seed), units_of(cell, seed)) for seed in seeds]
        tables.append(paired_units([(base, own) for base, own in pairs if base is not None and own is not None]))
    return tables


def with_unit_intervals(
    cells: Cells, found: Sequence[Gain | None], tables: Sequence[UnitTable | None], *, relative: bool
) -> list[Gain | None]:
    """The gains with their intervals over units."""
    result: list[Gain | None] = []
    for gain, interval in zip(found, unit_intervals(tables), strict=True):
        if gain is None or interval is None:
            result.append(gain)
            continue
        base = float(np.mean([cells.baseline.scores[seed] for seed in gain.seeds]))
        scaled = Interval(interval.low / base, interval.high / base) if relative and base > 0 else None
        result.append(replace(gain, over_units=interval, over_units_relative=scaled))
    return result
