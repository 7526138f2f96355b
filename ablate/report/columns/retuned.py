"""The column of the search: whether a row's verdict survives it, and with which gain."""

from ablate.analysis.outcome import VariantAnalysis
from ablate.report.columns.column import Column, Fields, Form, gain_fields, judged_gain


def retuned() -> Column:
    return Column("retuned", (Form("retuned, 95 %", _long), Form("retuned", _word)), _fields)


def _word(row: VariantAnalysis) -> str:
    if row.retuned is None or row.retuned.survives is None:
        return ""
    return "survives" if row.retuned.survives else "falls"


def _long(row: VariantAnalysis) -> str:
    return judged_gain(_word(row), None if row.retuned is None else row.retuned.gain)


def _fields(row: VariantAnalysis) -> Fields:
    state = row.retuned
    return {
        "retuned_survives": None if state is None else state.survives,
        "retuned_setting": "" if state is None else state.best_text,
        "retuned_at_edge": [] if state is None else list(state.at_edge),
        **gain_fields("retuned_gain", None if state is None else state.gain),
    }
