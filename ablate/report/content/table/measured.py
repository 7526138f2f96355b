"""What runs measured beside their score, with a verdict on each patch: processor seconds, the leak of intervals."""

from collections.abc import Iterator

from ablate.analysis.outcome import Measured, StudyAnalysis
from ablate.analysis.words import ABSENT, bracket, number
from ablate.report.content.block import Block, Table

MEANINGS = {
    "cpu seconds": "Cpu seconds: processor time of a run, all threads together.",
    "leak": "Leak: how strongly an interval's latents depend on another interval's frames in the trained model; 0: not "
    "at all, 1: as strongly as on any.",
}


def measured(analysis: StudyAnalysis) -> Iterator[Block]:
    """One row a measure and variant; nothing where nothing was measured."""
    if not analysis.measured:
        return
    names = dict.fromkeys(row.measure for row in analysis.measured)
    meanings = " ".join(MEANINGS.get(name, f"{name}: as the model measured it.") for name in names)
    note = f"{meanings} Means over seeds; verdicts by the paired t test over seeds, Holm over the patches of a measure."
    headings = ("measure", "variant", "mean", "to the baseline, 95 %", "verdict")
    yield Table("measured", "Measured beside the score", headings, tuple(map(_row, analysis.measured)), (2, 3), note)


def _row(row: Measured) -> tuple[str, ...]:
    places = 3 if row.mean.mean < 10 else 1
    difference = bracket(row.difference, places, sign=True) or ABSENT
    return row.measure, row.variant, number(row.mean.mean, places), difference, row.verdict or ""
