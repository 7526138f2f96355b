"""Whether the rows were taught alike, and whether every seed of the baseline is there to be compared with."""

from collections.abc import Iterator

from ablate.analysis.cells import Cell, Cells
from ablate.analysis.outcome import StudyAnalysis
from ablate.analysis.outcome.guard import Guard
from ablate.analysis.row.cost import model_cost
from ablate.analysis.taught import taught
from ablate.analysis.words import listing, plural


def taught_unequally(analysis: StudyAnalysis, cells: Cells) -> Iterator[Guard]:
    """Patches that see more or less than the baseline: a gain may be the teaching's."""
    for cell in cells.cells:
        if cell.entry.role != "variant":
            continue
        unequal = [*_bins(cell, cells.baseline), *taught(cell.entry.differences).values()]
        if unequal:
            name, detail = cell.entry.name, "; ".join(unequal)
            sentence = f"{name} is not trained as the baseline is ({detail}), and its gain may come from that."
            yield Guard("taught unequally", name, sentence, detail)


def _bins(cell: Cell, baseline: Cell) -> Iterator[str]:
    own, base = model_cost(cell), model_cost(baseline)
    if own and base and own.bins_per_step and base.bins_per_step and own.bins_per_step != base.bins_per_step:
        yield f"supervised bins a step {base.bins_per_step} -> {own.bins_per_step}"


def lost_pairs(analysis: StudyAnalysis, cells: Cells) -> Iterator[Guard]:
    """Seeds of the baseline that diverged or failed take a pair from every row."""
    lost = [failure for failure in cells.failures if failure.variant == analysis.baseline_name]
    broken = [failure for failure in lost if failure.state in ("failed", "diverged")]
    if broken:
        names = listing([f"seed {failure.seed} {failure.state}" for failure in broken])
        left = plural(len(cells.baseline.scores), "pair")
        yield Guard(
            "lost pairs",
            analysis.baseline_name,
            f"{names} in the baseline: at most {left} of {analysis.baseline.seeds_planned} are left.",
        )
