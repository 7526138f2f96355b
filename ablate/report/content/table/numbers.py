"""Where numbers are learned: what is made of each, and what every subject scores, winner and baseline."""

from collections.abc import Iterator

from ablate.analysis.best import best_row
from ablate.analysis.outcome import Numbers, StudyAnalysis, VariantAnalysis
from ablate.analysis.words import number
from ablate.report.content.block import Block, Table
from ablate.report.content.table.classes import MOST_SUBJECTS

MEANS = "Means over the seeds, on the test split."


def _shown(analysis: StudyAnalysis) -> list[tuple[VariantAnalysis, Numbers]]:
    """The baseline, and the winner (or the patch that gained most)."""
    rows = [analysis.baseline, best_row(analysis)]
    return [(row, row.numbers) for row in rows if row is not None and row.numbers is not None]


def targets(analysis: StudyAnalysis) -> Iterator[Block]:
    """A line a target: bits, correlation, concordance and error, baseline and winner side by side."""
    shown = _shown(analysis)
    if not shown:
        return
    headings = ["target", "labels"]
    for row, _ in shown:
        headings += [f"{row.name}: {analysis.unit}", "correlation", "CCC", "RMSE"]
    lines = []
    for index, first in enumerate(shown[0][1].targets):
        cells = [first.name, str(first.labels)]
        for _, known in shown:
            one = known.targets[index]
            cells += [number(value) for value in (one.bits, one.correlation, one.concordance, one.error)]
        lines.append(tuple(cells))
    note = f"{MEANS} RMSE is in the target's own unit; all labels of the split, whoever gave them."
    right = tuple(range(1, len(headings)))
    yield Table("targets", "Number by number", tuple(headings), tuple(lines), right, note)


def subjects_of_numbers(analysis: StudyAnalysis) -> Iterator[Block]:
    """A line a subject: its own score and agreement, baseline and winner side by side."""
    shown = _shown(analysis)
    if not shown or not shown[0][1].subjects:
        return
    headings = ["subject", "trials"]
    for row, _ in shown:
        headings += [f"{row.name}: {analysis.unit}", "correlation", "CCC"]
    of = [{one.name: one for one in known.subjects} for _, known in shown]
    lines = []
    for name in list(of[0])[:MOST_SUBJECTS]:
        cells = [name, str(of[0][name].trials)]
        for subjects in of:
            one = subjects.get(name)
            values = (None,) * 3 if one is None else (one.score, one.correlation, one.concordance)
            cells += [number(value) for value in values]
        lines.append(tuple(cells))
    more = len(of[0]) - MOST_SUBJECTS
    note = f"{MEANS} Correlations are within the subject." + (f" {more} more are in --format json." if more > 0 else "")
    yield Table("subjects", "Subject by subject", tuple(headings), tuple(lines), tuple(range(1, len(headings))), note)
