"""What a variant's runs say of classes: confusion added up over seeds, accuracies averaged, subject by subject."""

from collections.abc import Iterator, Sequence

import numpy as np

from ablate.analysis.cells import Cell
from ablate.analysis.outcome import Classes, SubjectClasses
from ablate.analysis.row.cost import known_mean
from ablate.result.record import Score, SessionScore


def classes_of(cell: Cell) -> Classes | None:
    """None where labels are not scored, or by a version that kept no confusion matrix."""
    tests = [score for score in cell.scored.values() if score.confusion]
    sizes = {len(score.confusion) for score in tests}
    if not tests or len(sizes) > 1:
        return None
    names = tests[0].class_names or tuple(map(str, range(sizes.pop())))
    total = np.array([score.confusion for score in tests], dtype=np.int64).sum(axis=0)
    return Classes(
        names=names,
        confusion=tuple(tuple(int(count) for count in row) for row in total),
        macro_f1=known_mean(score.macro_f1 for score in tests),
        calibration_error=known_mean(score.calibration_error for score in tests),
        chance=float(total.sum(axis=1).max() / max(total.sum(), 1)),
        subjects=_subjects(tests),
    )


def _subjects(tests: Sequence[Score]) -> tuple[SubjectClasses, ...]:
    return tuple(
        SubjectClasses(
            *head,
            accuracy=known_mean(one.accuracy for one in own),
            balanced_accuracy=known_mean(one.balanced_accuracy for one in own),
            macro_f1=known_mean(one.macro_f1 for one in own),
        )
        for head, own in by_subject(tests)
    )


def by_subject(tests: Sequence[Score]) -> Iterator[tuple[tuple[str, int, float], list[SessionScore]]]:
    """Of the subjects that the test holds: name, trials and score, and what each run that scored it says."""
    for name in dict.fromkeys(one.name for test in tests for one in test.sessions if one.entries):
        own = [one for test in tests for one in test.sessions if one.name == name and one.entries]
        yield (name, max(one.entries for one in own), float(np.mean([one.mean for one in own]))), own
