"""The column of fresh seeds: whether the verdict repeats there, and with which gain."""

from ablate.analysis.outcome import VariantAnalysis
from ablate.report.columns.column import Column, Fields, Form, ends, gain_fields, judged_gain


def confirmed() -> Column:
    forms = (Form("on fresh seeds, 95 %", _long), Form("fresh seeds", _word))
    return Column("confirmed", forms, _fields)


def _word(row: VariantAnalysis) -> str:
    state = row.confirmed
    if state is None:
        return ""
    return state.repeat or f"{state.runs_ended}/{state.runs_planned} runs"


def _long(row: VariantAnalysis) -> str:
    return judged_gain(_word(row), None if row.confirmed is None else row.confirmed.gain)


def _fields(row: VariantAnalysis) -> Fields:
    state = row.confirmed
    gain = None if state is None else state.gain
    change = None if state is None else state.change
    return {
        "confirmed": None if state is None else state.repeat,
        "confirmed_verdict": None if state is None else state.verdict,
        "confirmed_seeds": [] if state is None else list(state.seeds),
        **gain_fields("confirmed_gain", gain),
        "confirmed_p_holm": None if gain is None else gain.p_holm,
        "confirmed_change": None if change is None else change.mean,
        **ends("confirmed_change", None if change is None else change.interval),
        "confirmed_change_p_holm": None if change is None else change.p,
    }
