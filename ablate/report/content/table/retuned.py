"""What is left of each gain once the baseline and the row have had the same search."""

from collections.abc import Iterator

from ablate.analysis.outcome import Retuned, StudyAnalysis, VariantAnalysis
from ablate.analysis.words import gain_text, listing, plural, spans
from ablate.report.content.block import Block, Table

HEADINGS = ("variant", "gain as written", "best setting", "gain retuned, 95 %", "")


def retuned(analysis: StudyAnalysis) -> Iterator[Block]:
    """Nothing where no search was made."""
    rows = [(row, row.retuned) for row in analysis.rows if row.retuned is not None]
    if not rows:
        return
    state = rows[0][1]
    note = (
        f"All had the same {plural(state.settings, 'setting')}, tried on the seeds {spans(state.seeds)} and chosen by "
        "validation; the gain is that of the best over the baseline's best, on test, on the study's seeds."
    )
    if edge := [row.name for row, one in rows if one.at_edge]:
        note += (
            f" The best setting of {listing(edge)} is the smallest or the largest that was tried: a better one may lie "
            "beyond, so search further before believing what survives."
        )
    yield Table("retuned", "Retuned", HEADINGS, tuple(_row(*one, analysis.unit) for one in rows), note=note, brief=True)


def _row(row: VariantAnalysis, state: Retuned, unit: str) -> tuple[str, ...]:
    if row.role == "baseline":
        return row.name, "", state.best_text, "", ""
    head = (row.name, gain_text(row.gain, unit), state.best_text)
    if state.survives is None:
        return (*head, "", f"{state.runs_ended} of {plural(state.runs_planned, 'run')}")
    return (*head, gain_text(state.gain, unit), "survives" if state.survives else "does not survive")
