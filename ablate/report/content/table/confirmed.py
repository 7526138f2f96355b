"""What fresh seeds say of the study's verdicts, row by row."""

from collections.abc import Iterator

from ablate.analysis.outcome import Confirmed, StudyAnalysis, VariantAnalysis
from ablate.analysis.words import bracket, gain_text, plural, signed, signed_percent, spans
from ablate.report.content.block import Block, Table

TITLE = "Confirmed on fresh seeds"
NOTE = (
    "The fresh seeds chose nothing, and no verdict above is made of them. repeats: they alone give the same word; "
    "weaker: they do not, but the two gains are within what the errors of both sets of seeds allow; contradicted: the "
    "gains differ by more (Holm over the rows that were tried), or lie surely on two sides of zero; clearer: the fresh "
    "seeds give a word where the study had none. less or more: the second gain minus the first, with the 95 % interval "
    "of that difference. All rows of a set share its baseline, so a lucky baseline moves all of them alike."
)

HEADINGS = (
    "variant",
    "verdict",
    "gain where it was chosen",
    "fresh seeds",
    "what they say",
    "gain on these, 95 %",
    "less or more",
)


def confirmed(analysis: StudyAnalysis) -> Iterator[Block]:
    """Nothing where no row was tried."""
    tried = [(row, row.confirmed) for row in analysis.rows if row.confirmed is not None]
    if not tried:
        return
    rows = tuple(_row(row, state, analysis.unit) for row, state in tried)
    yield Table("confirmed", TITLE, HEADINGS, rows, note=NOTE)


def _row(row: VariantAnalysis, state: Confirmed, unit: str) -> tuple[str, ...]:
    head = (row.name, row.verdict, gain_text(row.gain, unit), spans(state.seeds))
    if state.repeat is None:
        return (*head, f"{state.runs_ended} of {plural(state.runs_planned, 'run')}", "", "")
    tries = f", one of {state.goes} tries" if state.goes > 1 else ""
    word = state.repeat if state.verdict == row.verdict else f"{state.repeat}: {state.verdict}"
    return (*head, f"{word}{tries}", gain_text(state.gain, unit), _change(state))


def _change(state: Confirmed) -> str:
    """The gain on the fresh seeds minus the one that was chosen."""
    change = state.change
    if change is None:
        return ""
    scale, write, places = (100.0, signed_percent, 1) if change.relative else (1.0, signed, 3)
    return f"{write(change.mean)} {bracket(change.interval, places, scale=scale, sign=True)}".strip()
