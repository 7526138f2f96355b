"""Per-unit scores beside the baseline's, and the second and third interval: over other neurons, over other minutes."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ablate.analysis.cells import Cell, Cells
from ablate.analysis.outcome import Gain, Interval
from ablate.analysis.row.files import UnitsLoader
from ablate.analysis.statistics.time import Blocks, difference_of, mean_blocks, read_blocks, time_interval
from ablate.analysis.statistics.units import Units, UnitTable, paired_units, read_units, unit_intervals


@dataclass(frozen=True)
class Breakdown:
    """Of one cell beside the baseline, over the paired seeds: its units, and its gain's blocks of time.

    own: the blocks of the cell's own score, over all its seeds.
    """

    units: UnitTable | None = None
    blocks: Blocks | None = None
    own: Blocks | None = None


@dataclass(frozen=True)
class Ranges:
    """The baseline's own score over other neurons and over other minutes; None where its runs do not tell."""

    units: Interval | None = None
    time: Interval | None = None

    def touch(self, value: float) -> bool:
        return any(not interval.clear_of(value) for interval in (self.units, self.time) if interval is not None)


def breakdowns(cells: Cells, load: UnitsLoader | None) -> tuple[list[Breakdown], Ranges]:
    """The breakdown of each comparable cell, and the baseline's own ranges; each run's file is read once."""
    if load is None or any(cell.measured for cell in cells.cells):  # in folds: a run is of a part of the trials
        return [Breakdown()] * len(cells.cells), Ranges()
    read: dict[str, tuple[Units | None, Blocks | None]] = {}

    def files_of(cell: Cell, seeds: Sequence[int]) -> list[tuple[Units | None, Blocks | None]]:
        keys = [cell.records[seed].key for seed in seeds]
        for key in keys:
            if key not in read:
                content = load(key)
                read[key] = read_units(content), read_blocks(content)
        return [read[key] for key in keys]

    found: list[Breakdown] = []
    for cell in cells.cells:
        seeds = [seed for seed in cell.scores if seed in cells.baseline.scores] if cell.comparable else []
        paired = _breakdown(files_of(cells.baseline, seeds), files_of(cell, seeds), cell.sign)
        found.append(replace(paired, own=_averaged(files_of(cell, list(cell.scores)))))
    return found, _ranges(cells.baseline, files_of(cells.baseline, list(cells.baseline.scores)))


Files = Sequence[tuple[Units | None, Blocks | None]]


def _breakdown(base: Files, own: Files, sign: float) -> Breakdown:
    pairs = list(zip(base, own, strict=True))
    units = paired_units([(b[0], o[0]) for b, o in pairs if b[0] is not None and o[0] is not None], sign)
    differences = [difference_of(o[1], b[1]) for b, o in pairs if b[1] is not None and o[1] is not None]
    known = [blocks for blocks in differences if blocks is not None]
    return Breakdown(units, mean_blocks(known) if len(known) == len(pairs) else None)


def _ranges(baseline: Cell, files: Files) -> Ranges:
    """The baseline against a constant rate, which scores zero everywhere."""
    own = [units for units, _ in files if units is not None]
    zeros = [Units(units.names, units.entries, tuple(np.zeros_like(value) for value in units.values)) for units in own]
    (over_units,) = unit_intervals([paired_units(list(zip(zeros, own, strict=True)))])
    averaged = _averaged(files)
    if averaged is None:
        return Ranges(over_units)
    return Ranges(over_units, time_interval(float(np.mean(list(baseline.scores.values()))), averaged))


def _averaged(files: Files) -> Blocks | None:
    """The blocks over seeds; None where a run has none."""
    blocks = [blocks for _, blocks in files if blocks is not None]
    return mean_blocks(blocks) if len(blocks) == len(files) else None


def with_other_intervals(
    found: Sequence[Gain | None], breakdowns: Sequence[Breakdown], *, relative: bool
) -> list[Gain | None]:
    """The gains with their intervals over units and over time, which take the baseline's mean as it is."""
    result: list[Gain | None] = []
    tables = [breakdown.units for breakdown in breakdowns]
    for gain, over_units, breakdown in zip(found, unit_intervals(tables), breakdowns, strict=True):
        if gain is None:
            result.append(None)
            continue
        over_time = None if breakdown.blocks is None else time_interval(gain.mean, breakdown.blocks)
        base = float(np.mean(gain.baseline))
        scale = base if relative and base > 0 else None
        result.append(
            replace(
                gain,
                over_units=over_units,
                over_units_relative=_scaled(over_units, scale),
                over_time=over_time,
                over_time_relative=_scaled(over_time, scale),
            )
        )
    return result


def _scaled(interval: Interval | None, base: float | None) -> Interval | None:
    return None if interval is None or base is None else Interval(interval.low / base, interval.high / base)
