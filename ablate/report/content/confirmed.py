"""What fresh seeds say of the study's verdicts, row by row."""

from collections.abc import Iterator

from ablate.analysis import Confirmed, StudyAnalysis, VariantAnalysis
from ablate.analysis.words import bracket, gain_text, plural, signed, signed_percent, spans
from ablate.report.content.block import Block, Table

TITLE = "Confirmed on fresh seeds"
NOTE = (
    "The fresh seeds chose nothing, and no verdict above is made of them. repeats: they alone give the same word; "
    "weaker: they cannot tell; contradicted: they give another word; clearer: they give one where the study had none."
)


def confirmed(analysis: StudyAnalysis) -> Iterator[Block]:
    """Nothing where no row was tried."""
    tried = [(row, row.confirmed) for row in analysis.rows if row.confirmed is not None]
    if not tried:
        return
    headings = ("variant", "verdict", "gain where it was chosen", "seeds", "", "gain on these, 95 %", "less or more")
    rows = tuple(_row(row, state, analysis.unit) for row, state in tried)
    yield Table("confirmed", TITLE, headings, rows, note=NOTE)


def _row(row: VariantAnalysis, state: Confirmed, unit: str) -> tuple[str, ...]:
    head = (row.name, row.verdict, gain_text(row.gain, unit), spans(state.seeds))
    if state.repeat is None:
        return (*head, f"{state.runs_ended} of {plural(state.runs_planned, 'run')}", "", "")
    tries = f", one of {state.goes} tries" if state.goes > 1 else ""
    word = state.repeat if state.verdict == row.verdict else f"{state.repeat}: {state.verdict}"
    return (*head, f"{word}{tries}", gain_text(state.gain, unit), _change(state))


def _change(state: Confirmed) -> str:
    """The gain on the fresh seeds minus the one that was chosen."""
    scale, write = (100.0, signed_percent) if state.change_is_relative else (1.0, signed)
    places = 1 if state.change_is_relative else 3
    return f"{write(state.change)} {bracket(state.change_interval, places, scale=scale, sign=True)}".strip()
