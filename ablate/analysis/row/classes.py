"""What a variant's runs say of classes: confusion added up over seeds, accuracies averaged, subject by subject."""

from collections.abc import Sequence

import numpy as np

from ablate.analysis.cells import Cell
from ablate.analysis.outcome import Classes, SubjectClasses
from ablate.analysis.row.cost import known_mean
from ablate.result.record import Score


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
    """Of the subjects that the test holds, each over the runs that scored it."""
    names = dict.fromkeys(one.name for test in tests for one in test.sessions if one.entries)
    found = []
    for name in names:
        own = [one for test in tests for one in test.sessions if one.name == name and one.entries]
        found.append(
            SubjectClasses(
                name=name,
                trials=max(one.entries for one in own),
                score=float(np.mean([one.mean for one in own])),
                accuracy=known_mean(one.accuracy for one in own),
                balanced_accuracy=known_mean(one.balanced_accuracy for one in own),
                macro_f1=known_mean(one.macro_f1 for one in own),
            )
        )
    return tuple(found)
