"""The columns of what is learned of trials: how often classes are guessed, how numbers agree with what is predicted."""

from ablate.analysis.outcome import VariantAnalysis
from ablate.analysis.words import number
from ablate.report.columns.column import Column, Form, figure


def labels() -> tuple[Column, ...]:
    return (
        figure("accuracy", "accuracy", lambda row: row.accuracy),
        Column(
            "balanced",
            (Form("balanced accuracy", _balanced), Form("balanced", _balanced)),
            lambda row: {"balanced_accuracy": row.balanced_accuracy},
            right=True,
        ),
        figure("macro_f1", "macro F1", lambda row: None if row.classes is None else row.classes.macro_f1),
        figure("correlation", "correlation", lambda row: None if row.numbers is None else row.numbers.correlation),
        figure("concordance", "CCC", lambda row: None if row.numbers is None else row.numbers.concordance),
    )


def _balanced(row: VariantAnalysis) -> str:
    return number(row.balanced_accuracy)
