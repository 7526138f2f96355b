"""The reference that the gap is measured to, and the share of that gap that a variant closes."""

from ablate.analysis.cells import Cell, Cells
from ablate.analysis.outcome import GapClosed
from ablate.analysis.statistics.gap import gap_closed


def target_of(cells: Cells) -> Cell | None:
    """The reference with the highest mean score, if it is above the baseline. The GLM is a floor, never a target."""

    def mean(cell: Cell) -> float:
        return cell.sign * sum(cell.scores.values()) / len(cell.scores)

    references = [cell for cell in cells.cells if cell.entry.role == "reference" and not _is_floor(cell)]
    usable = [cell for cell in references if cell.scores and not cell.refused]
    best = max(usable, key=mean, default=None)
    baseline = cells.baseline
    if best is None or not baseline.scores:
        return best
    return best if mean(best) > mean(baseline) else None


def _is_floor(cell: Cell) -> bool:
    """Whether a reference is the lagged GLM that every encoding study shows from below."""
    return cell.entry.differences.get("baseline.type", (None, None))[1] == "glm"


def gap_of(cell: Cell, baseline: Cell, target: Cell | None) -> GapClosed:
    """Blank for the baseline, for references, and where there is no target."""
    if target is None or cell.entry.role == "baseline" or cell.refused or not cell.scores:
        return GapClosed()
    if cell is target:
        return GapClosed(blank="the reference itself")
    if cell.entry.role == "reference":
        return GapClosed(blank="a reference")
    return gap_closed(
        *({seed: held.sign * score for seed, score in held.scores.items()} for held in (cell, baseline, target))
    )
