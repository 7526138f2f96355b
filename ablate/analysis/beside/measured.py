"""What runs measured beside their score, variant against baseline: a verdict of its own for each measure.

    d_s = measure(variant, s) - measure(baseline, s)      paired by seed, a t interval

    more, less     p after Holm over the patches <= 0.05, and the sign
    the same       every difference is exactly zero
    no evidence    these seeds cannot tell; one seed never can

Measures: `cpu seconds` of training, on a CPU only, and what the model measures of itself (fusion: `leak`).
"""

import math
from collections.abc import Mapping, Sequence

import numpy as np

from ablate.analysis.cells import Cell, Cells
from ablate.analysis.outcome import Estimate, Interval, Measured, MeasureVerdict
from ablate.analysis.statistics.family import holm
from ablate.analysis.statistics.gain import Paired, estimate, paired_t
from ablate.result.record import RunRecord

CPU_SECONDS = "cpu seconds"
ALPHA = 0.05


def measured(cells: Cells) -> tuple[Measured, ...]:
    """By measure, then in the order of the rows; of variants with a measured run, the baseline among them."""
    tables = [(cell, _values(cell)) for cell in cells.cells]
    names = sorted({name for _, values in tables for name in values})
    return tuple(row for name in names for row in _of_measure(name, cells.baseline, tables))


def _of_measure(
    name: str, baseline: Cell, tables: Sequence[tuple[Cell, Mapping[str, Mapping[int, float]]]]
) -> list[Measured]:
    held = [(cell, values[name]) for cell, values in tables if name in values]
    base = next((values for cell, values in held if cell is baseline), {})
    tests = {cell.entry.name: _paired(values, base) for cell, values in held if cell.entry.role == "variant"}
    asked = [(variant, test) for variant, test in tests.items() if test is not None]
    p = dict(zip((v for v, _ in asked), holm(np.array([float(t.p) for _, t in asked])), strict=True)) if asked else {}
    found = []
    for cell, values in held:
        variant, mean = cell.entry.name, estimate(list(values.values())) or Estimate(float("nan"))
        test = tests.get(variant)
        found.append(Measured(name, variant, mean, _interval(test), _verdict(cell, test, p.get(variant))))
    return found


def _values(cell: Cell) -> dict[str, dict[int, float]]:
    """Measure -> seed -> value, of the runs that count."""
    found: dict[str, dict[int, float]] = {}
    for seed in sorted(cell.scored):
        record = cell.records[seed]
        for name, value in record.measures.items():
            if math.isfinite(value):
                found.setdefault(name, {})[seed] = value
        if (seconds := _cpu_seconds(record)) is not None:
            found.setdefault(CPU_SECONDS, {})[seed] = seconds
    return found


def _cpu_seconds(record: RunRecord) -> float | None:
    """None on an accelerator, where the processor only launches the work."""
    on_cpu = record.environment.get("device", {}).get("type") == "cpu"
    return record.usage.cpu_seconds if on_cpu and record.usage else None


def _paired(values: Mapping[int, float], base: Mapping[int, float]) -> Paired | None:
    seeds = sorted(values.keys() & base.keys())
    return paired_t(np.array([values[seed] - base[seed] for seed in seeds])) if len(seeds) > 1 else None


def _interval(test: Paired | None) -> Interval | None:
    if test is None:
        return None
    mean, half = float(test.mean), float(test.half_width)
    return Interval(mean - half, mean + half)


def _verdict(cell: Cell, test: Paired | None, p: float | None) -> MeasureVerdict | None:
    """None for what is no patch."""
    if cell.entry.role != "variant":
        return None
    if test is None or p is None:
        return "no evidence"
    if float(test.mean) == 0 and float(test.spread) == 0:
        return "the same"
    return "no evidence" if p > ALPHA else "more" if float(test.mean) > 0 else "less"
