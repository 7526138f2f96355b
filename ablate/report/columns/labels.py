"""The columns of what is learned of trials: how often classes are guessed, how numbers agree with what is predicted."""

from collections.abc import Callable

from ablate.analysis import VariantAnalysis
from ablate.analysis.words import number
from ablate.report.columns.column import Column, Form, one


def labels() -> tuple[Column, ...]:
    return (
        _figure("accuracy", "accuracy", lambda row: row.accuracy),
        Column(
            "balanced",
            (Form("balanced accuracy", _balanced), Form("balanced", _balanced)),
            lambda row: {"balanced_accuracy": row.balanced_accuracy},
            right=True,
        ),
        _figure("macro_f1", "macro F1", lambda row: None if row.classes is None else row.classes.macro_f1),
        _figure("correlation", "correlation", lambda row: None if row.numbers is None else row.numbers.correlation),
        _figure("concordance", "CCC", lambda row: None if row.numbers is None else row.numbers.concordance),
    )


def _figure(key: str, heading: str, value: Callable[[VariantAnalysis], float | None]) -> Column:
    """A column of one figure, under its key in CSV and JSON."""
    return one(key, heading, lambda row: number(value(row)), lambda row: {key: value(row)}, right=True)


def _balanced(row: VariantAnalysis) -> str:
    return number(row.balanced_accuracy)
