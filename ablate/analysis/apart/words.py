"""What fresh seeds say of a row, in sentences: the same in the answer, the notes and the reports."""

from ablate.analysis.outcome import Confirmed, Gain, Repeat, VariantAnalysis
from ablate.analysis.words import percent_with_interval, plural, spans, with_interval

SAID: dict[Repeat, str] = {
    "repeats": "repeats",
    "weaker": "is weaker: it cannot be told from noise there",
    "contradicted": "is contradicted",
    "clearer": "became clear",
}


def gain_text(gain: Gain | None, unit: str) -> str:
    """`+5.1 % [+2.1, +8.1] bits/spike`, absolute where the baseline is no denominator."""
    if gain is None:
        return "no gain known"
    if gain.relative is None:
        return f"{with_interval(gain.mean, gain.interval, sign=True)} {unit}"
    return f"{percent_with_interval(gain.relative, gain.relative_interval)} {unit}"


def seeds_text(state: Confirmed) -> str:
    return f"seed{'s' if len(state.seeds) > 1 else ''} {spans(state.seeds)}"


def confirmation_text(row: VariantAnalysis, unit: str) -> str:
    """`p1 (helps) repeats on seeds 10-14: +4.1 % [...] bits/spike; +5.1 % [...] where it was chosen.`"""
    state = row.confirmed
    if state is None:
        return ""
    if state.repeat is None:
        runs = f"{state.runs_ended} of {plural(state.runs_planned, 'run')}"
        return (
            f"{row.name}: its fresh seeds ({spans(state.seeds)}) are not complete, {runs}; nothing is said of them yet."
        )
    word = "" if state.verdict == row.verdict else f", {state.verdict}"
    tries = f", counted as one of {state.goes} tries" if state.goes > 1 else ""
    text = f"{row.name} ({row.verdict}) {SAID[state.repeat]} on {seeds_text(state)}{word}: "
    text += f"{gain_text(state.gain, unit)}{tries}; {gain_text(row.gain, unit)} where it was chosen"
    return f"{text}{_shrunk(row, state)}."


def _shrunk(row: VariantAnalysis, state: Confirmed) -> str:
    """The gain of a chosen row is optimistic: said where it is clear."""
    if state.change is None or state.change_interval is None or not state.change_interval.clear_of(0.0):
        return ""
    assert row.gain is not None
    return f", which is clearly {'more' if state.change * row.gain.mean < 0 else 'less'}"


def fall_text(row: VariantAnalysis, unit: str) -> str:
    """`p1 helped where it was chosen (+5.1 % [...]), but on seeds 10-14 it cannot be told from noise: +0.3 % [...]`"""
    state = row.confirmed
    assert state is not None
    found = {
        "no evidence": "it cannot be told from noise",
        "negligible": "it is negligible",
        "hurts": "it hurts",
    }.get(state.verdict or "", "it gave no finite score")
    chosen = f"{row.name} helped where it was chosen ({gain_text(row.gain, unit)})"
    measured = f": {gain_text(state.gain, unit)}" if state.gain is not None else ""
    return f"{chosen}, but on {seeds_text(state)} {found}{measured}"
