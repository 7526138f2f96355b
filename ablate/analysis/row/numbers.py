"""What a variant's runs say of numbers that are learned: target by target, subject by subject, means over the seeds."""

from collections.abc import Sequence

import numpy as np

from ablate.analysis.cells import Cell
from ablate.analysis.outcome import Numbers, SubjectNumbers, TargetFit
from ablate.analysis.row.classes import by_subject
from ablate.analysis.row.cost import known_mean
from ablate.result.measure.agreement import concordance, correlation, root_mean_square_error
from ablate.result.record import Score, TargetScore


def numbers_of(cell: Cell) -> Numbers | None:
    """None where no numbers are learned."""
    tests = [score for score in cell.scored.values() if score.targets]
    if not tests:
        return None
    return Numbers(
        correlation=known_mean(test.correlation for test in tests),
        concordance=known_mean(test.concordance for test in tests),
        targets=tuple(_target(own) for own in zip(*(test.targets for test in tests), strict=False)),
        subjects=_subjects(tests),
    )


def _target(runs: Sequence[TargetScore]) -> TargetFit:
    """One target over the runs that scored it."""
    moments = [run.moments for run in runs]
    return TargetFit(
        name=runs[0].name,
        labels=moments[0].count,
        bits=float(np.mean([run.bits for run in runs])),
        correlation=known_mean(correlation(one) for one in moments),
        concordance=known_mean(concordance(one) for one in moments),
        error=known_mean(root_mean_square_error(one) for one in moments),
    )


def _subjects(tests: Sequence[Score]) -> tuple[SubjectNumbers, ...]:
    return tuple(
        SubjectNumbers(
            *head,
            correlation=known_mean(one.correlation for one in own),
            concordance=known_mean(one.concordance for one in own),
        )
        for head, own in by_subject(tests)
    )
