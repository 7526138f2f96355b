"""Runs in, what each variant says of every number out: the points of its first scored seed, of all folds."""

from collections.abc import Iterator

from ablate.analysis.cells import Cell, Cells
from ablate.analysis.outcome.row import NumberPoints
from ablate.analysis.row.files import UnitsLoader
from ablate.result.measure.said import Said, read_said


def said_of(cells: Cells, load: UnitsLoader | None) -> tuple[NumberPoints, ...]:
    """A target of a variant each; none where classes or spikes are scored, or without what lies beside the records."""
    return () if load is None else tuple(one for cell in cells.cells for one in _of_cell(cell, load))


def _of_cell(cell: Cell, load: UnitsLoader) -> Iterator[NumberPoints]:
    if not any(score.targets for score in cell.scored.values()):
        return
    seed = min(cell.scored)
    keys = cell.entry.folds.get(seed) or (cell.records[seed].key,)
    runs = [said for key in keys if (said := read_said(load(key)))]
    for parts in zip(*runs, strict=False):
        yield _joined(cell.entry.name, seed, parts)


def _joined(variant: str, seed: int, parts: tuple[Said, ...]) -> NumberPoints:
    return NumberPoints(
        variant=variant,
        target=parts[0].name,
        seed=seed,
        of=sum(one.of for one in parts),
        value=tuple(value for one in parts for value in one.value),
        mean=tuple(value for one in parts for value in one.mean),
        sd=tuple(value for one in parts for value in one.sd),
    )
