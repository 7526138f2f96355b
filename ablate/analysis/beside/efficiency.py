"""Data efficiency: score and gain against the share of the training data.

Variants that differ from one another in `data.fraction` alone form one curve; the test set is the same at every
fraction. The gain at a fraction is over the baseline trained on that same fraction, paired by seed: whether a model
needs more data shows in how its gain changes along the curve.
"""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence

from ablate.analysis.cells import Cell
from ablate.analysis.outcome import EfficiencyCurve, FractionPoint
from ablate.analysis.statistics.gain import difference, estimate, gain

FRACTION = "data.fraction"


def efficiency_curves(cells: Sequence[Cell], *, relative: bool) -> tuple[EfficiencyCurve, ...]:
    """One curve for each model that was trained on two fractions or more, in the manifest's order, baseline first."""
    usable = [cell for cell in cells if cell.scores and not cell.refused]
    if not any(FRACTION in cell.entry.differences for cell in usable):
        return ()
    whole = _baseline_fraction(usable)
    groups: dict[str, dict[float, Cell]] = defaultdict(dict)
    for cell in usable:
        changed = cell.entry.differences
        fraction = _share(changed[FRACTION][1]) if FRACTION in changed else whole
        groups[_identity(changed)].setdefault(fraction, cell)
    baseline = groups.get(_identity({}), {})
    curves = []
    for members in groups.values():
        if len(members) < 2:
            continue
        named = members.get(whole) or members[max(members)]
        points = tuple(
            _point(fraction, members[fraction], baseline.get(fraction), relative) for fraction in sorted(members)
        )
        curves.append(EfficiencyCurve(named.entry.name, named.entry.role, points))
    return tuple(sorted(curves, key=lambda curve: curve.role != "baseline"))


def _point(fraction: float, cell: Cell, baseline: Cell | None, relative: bool) -> FractionPoint:
    score = estimate(list(cell.scores.values()))
    assert score is not None  # only cells with scores get here
    same = baseline is None or baseline is cell
    return FractionPoint(
        fraction=fraction,
        variant=cell.entry.name,
        score=score,
        gain=None if same or baseline is None else gain(difference(cell.scores, baseline.scores), relative=relative),
    )


def _baseline_fraction(cells: Sequence[Cell]) -> float:
    """The baseline's own share of the training data: 1 unless the recipe lowered it."""
    for cell in cells:
        if FRACTION in cell.entry.differences:
            value = cell.entry.differences[FRACTION][0]
            return 1.0 if value is None else _share(value)
    return 1.0


def _share(value: object) -> float:
    assert isinstance(value, int | float), "differences hold validated values, and this one is a number"
    return float(value)


def _identity(changed: Mapping[str, tuple[object, object]]) -> str:
    """What a variant changes beside the fraction, as comparable text."""
    kept = {path: values[1] for path, values in changed.items() if path != FRACTION}
    return json.dumps(kept, sort_keys=True, default=str)
