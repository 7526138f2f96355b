"""Of a labelling task: which classes are taken for which, and what every subject scores, winner and baseline."""

from collections.abc import Iterator

from ablate.analysis.best import best_row
from ablate.analysis.outcome import StudyAnalysis, VariantAnalysis
from ablate.analysis.words import ABSENT, number, percent
from ablate.report.content.block import Block, Table

MOST_CLASSES = 12
"""A matrix of more classes is folded."""
MOST_SUBJECTS = 60


def confusions(analysis: StudyAnalysis) -> Iterator[Block]:
    """The confusion matrix of the baseline and of the winner (or the patch that gained most)."""
    rows = [analysis.baseline, best_row(analysis)]
    for key, row in zip(("confusion-baseline", "confusion-best"), rows, strict=True):
        if row is not None and row.classes is not None:
            yield _matrix(key, row)


def _matrix(key: str, row: VariantAnalysis) -> Table:
    assert row.classes is not None
    names, matrix = row.classes.names, row.classes.confusion
    total = max(sum(map(sum, matrix)), 1)
    lines = []
    for index, (name, counts) in enumerate(zip(names, matrix, strict=True)):
        seen = sum(counts)
        recall = percent(counts[index] / seen, 0) if seen else ABSENT
        lines.append((name, *map(str, counts), str(seen), recall))
    guessed = [sum(column) for column in zip(*matrix, strict=True)]
    precision = [percent(matrix[index][index] / count, 0) if count else ABSENT for index, count in enumerate(guessed)]
    right = sum(matrix[index][index] for index in range(len(names)))
    lines += [("all", *map(str, guessed), str(total), percent(right / total, 0)), ("precision", *precision, "", "")]
    note = "Rows are the labels, columns the guesses; counts of the test split, added up over "
    note += f"{row.seeds_done} run{'s' if row.seeds_done > 1 else ''}."
    headings = ("label", *names, "all", "recall")
    title = f"What `{row.name}` takes for what"
    right_side = tuple(range(1, len(headings)))
    return Table(key, title, headings, tuple(lines), right_side, note, folded=len(names) > MOST_CLASSES)


def subjects(analysis: StudyAnalysis) -> Iterator[Block]:
    """Accuracies of every subject, baseline and winner side by side."""
    best, baseline = best_row(analysis), analysis.baseline
    rows = [row for row in (baseline, best) if row is not None and row.classes is not None]
    if not rows or not any(row.classes.subjects for row in rows if row.classes is not None):
        return
    of = [{one.name: one for one in row.classes.subjects} for row in rows if row.classes is not None]
    headings = ["subject", "trials"]
    for row in rows:
        headings += [f"{row.name}: {analysis.unit}", "accuracy", "balanced", "macro F1"]
    names = list(of[0])
    lines = []
    for name in names[:MOST_SUBJECTS]:
        cells = [name, str(of[0][name].trials)]
        for known in of:
            one = known.get(name)
            values = (None,) * 4 if one is None else (one.score, one.accuracy, one.balanced_accuracy, one.macro_f1)
            cells += [number(value) for value in values]
        lines.append(tuple(cells))
    more = len(names) - MOST_SUBJECTS
    note = "Means over the seeds, on the test split." + (f" {more} more are in --format json." if more > 0 else "")
    title = "Subject by subject"
    yield Table("subjects", title, tuple(headings), tuple(lines), tuple(range(1, len(headings))), note)
