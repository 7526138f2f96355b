"""The ranked table, for a terminal of any width: head, rows, and what must be said beneath them.

`live_table` is a rich renderable that asks the console for its width; `table_text` is the same without colour. Text
from recipes is printed as it is: no markup, no escape sequence in a name has any effect.
"""

import textwrap
from collections.abc import Iterable, Iterator, Sequence

from rich.console import Console, ConsoleOptions
from rich.text import Text

from ablate.analysis import StudyAnalysis, VariantAnalysis
from ablate.analysis.headline import REHEARSAL
from ablate.analysis.words import ABSENT, number, percent, plural, with_interval
from ablate.report.columns import columns, plain, short_note
from ablate.report.layout import GAP, Laid, lay_out

MOST_LINES = 20
"""Lines of one kind beneath the table; a large study says how many more there are."""

VERDICT_STYLES = {
    "helps": "bold green",
    "hurts": "red",
    "negligible": "cyan",
    "no evidence": "dim",
    "invalid": "yellow",
    "baseline": "cyan",
    "reference": "cyan",
}


class RankedTable:
    """What `ablate report` prints and `ablate run` shows while it goes on."""

    def __init__(self, analysis: StudyAnalysis):
        self.analysis = analysis

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> Iterator[Text]:
        yield from table_lines(self.analysis, options.max_width)


def live_table(analysis: StudyAnalysis) -> RankedTable:
    """The report so far, as a rich renderable."""
    return RankedTable(analysis)


def table_text(analysis: StudyAnalysis, width: int) -> str:
    """The table without colour, no line wider than `width` (a table needs about 60)."""
    return "\n".join(line.plain.rstrip() for line in table_lines(analysis, width)) + "\n"


def table_lines(analysis: StudyAnalysis, width: int) -> list[Text]:
    """Every line of the report, styled."""
    lines = [*_head(analysis, width), _line("")]
    laid = lay_out(columns(analysis), analysis.rows, width)
    lines.append(_line((" " * GAP).join(column.padded(column.title) for column in laid), "bold"))
    lines.extend(_rows(analysis.rows, laid))
    beneath = list(_beneath(analysis, laid, width))
    return [*lines, _line(""), *beneath] if beneath else lines


def _line(text: str, style: str = "") -> Text:
    return Text(text, style=style, no_wrap=True, overflow="crop", end="\n")


def _wrapped(text: str, width: int, *, indent: str = " ", style: str = "") -> list[Text]:
    """A sentence over as many lines as it takes, later ones indented further."""
    width = max(width, 20)
    parts = textwrap.wrap(plain(text), width, initial_indent=indent, subsequent_indent=indent + "  ")
    return [_line(part, style) for part in parts]


# ------------------------------------------------------------------ head


def _head(analysis: StudyAnalysis, width: int) -> list[Text]:
    lines = _wrapped(REHEARSAL.upper(), width, indent="", style="bold red") if analysis.rehearsal else []
    data = ", ".join(
        part
        for part in (analysis.data_description, plural(len(analysis.seeds), "seed"), f"test {analysis.unit}")
        if part
    )
    title = f"{plain(analysis.name)}   question: {plain(analysis.question)}   {plain(data)}"
    if len(title) <= width:
        lines.append(_line(title, "bold"))
    else:
        lines.extend(_wrapped(f"{analysis.name}: {data}", width, indent="", style="bold"))
        lines.extend(_wrapped(f"question: {analysis.question}", width, indent=""))
    lines.extend(_packed(landmarks(analysis), width))
    answer = analysis.answer.removeprefix(REHEARSAL).strip()
    lines.extend(_wrapped(f"answer: {answer}", width, indent="", style="bold"))
    return lines


def landmarks(analysis: StudyAnalysis) -> Iterator[str]:
    """The figures that every row is read against."""
    base = analysis.baseline
    yield f"{plain(base.name)} {_score(base)}"
    for row in analysis.references:
        yield f"reference {plain(row.name)} {_score(row)}"
    if analysis.attainable is not None:
        yield f"attainable {number(analysis.attainable)}"
    if analysis.floor is not None:
        yield f"without receptive fields {number(analysis.floor)}"
    if analysis.attainable_accuracy is not None:
        yield f"attainable accuracy {number(analysis.attainable_accuracy)}"
    if analysis.detectable is not None:
        size = f"{number(analysis.detectable)} {analysis.unit}"
        if analysis.detectable_relative is not None:
            size = percent(analysis.detectable_relative)
        yield f"smallest detectable gain {size}"
    if analysis.runs_done + analysis.runs_failed < analysis.runs_planned:
        yield f"{analysis.runs_done + analysis.runs_failed} of {analysis.runs_planned} runs"


def _score(row: VariantAnalysis) -> str:
    return ABSENT if row.score is None else with_interval(row.score.mean, row.score.interval)


def _packed(parts: Iterable[str], width: int) -> list[Text]:
    """As many parts on a line as fit, three spaces between them."""
    lines: list[str] = []
    for part in parts:
        if lines and len(lines[-1]) + 3 + len(part) <= width:
            lines[-1] += f"   {part}"
        else:
            lines.append(part)
    return [_line(line) for line in lines]


# ------------------------------------------------------------------ rows


def _rows(rows: Sequence[VariantAnalysis], laid: Sequence[Laid]) -> Iterator[Text]:
    for index, row in enumerate(rows):
        line = _line("")
        for place, column in enumerate(laid):
            text = column.padded(column.cells[index]) + (" " * GAP if place < len(laid) - 1 else "")
            line.append(text, _style(column.key, row))
        yield line


def _style(key: str, row: VariantAnalysis) -> str:
    if key in ("verdict", "variant") or (key == "gain" and row.verdict in ("helps", "hurts")):
        return VERDICT_STYLES[row.verdict]
    return "dim" if row.verdict == "no evidence" and key == "rank" else ""


# ------------------------------------------------------------------ beneath


def _beneath(analysis: StudyAnalysis, laid: Sequence[Laid], width: int) -> Iterator[Text]:
    shown = {column.key: column for column in laid}
    for lines, style in (
        (_cut_changes(analysis.rows, shown.get("changes")), ""),
        (_untold(analysis.rows, shown.get("verdict")), ""),
        (_company(analysis.rows), ""),
        (_warnings(analysis.rows), "yellow"),
        (_failures(analysis), "red"),
        (_cost_predictions(analysis.rows), ""),
    ):
        for text in _limited(list(lines)):
            yield from _wrapped(text, width, style=style)
    styles = {"rehearsal": "bold red", "warning": "yellow", "expectation": "yellow"}
    for note in analysis.notes:
        yield from _wrapped(note.text, width, style=styles.get(note.kind, "dim"))
    for step in analysis.next_steps:
        yield from _wrapped(f"next: {step}", width)


def beneath_texts(analysis: StudyAnalysis) -> list[str]:
    """The same lines for formats without columns to leave out."""
    groups = (
        _untold(analysis.rows, None),
        _company(analysis.rows),
        _warnings(analysis.rows),
        _failures(analysis),
        _cost_predictions(analysis.rows),
    )
    told = [text for lines in groups for text in _limited(list(lines))]
    return [*told, *(note.text for note in analysis.notes), *(f"next: {step}" for step in analysis.next_steps)]


def _limited(lines: Sequence[str]) -> list[str]:
    """At most `MOST_LINES` of a kind."""
    if len(lines) <= MOST_LINES:
        return list(lines)
    return [*lines[:MOST_LINES], f"... and {len(lines) - MOST_LINES} more such lines (--format json has all)"]


def _company(rows: Sequence[VariantAnalysis]) -> Iterator[str]:
    """What else a variant changed, and what else it is called."""
    for row in rows:
        if row.also_changed:
            yield f"also changed by {row.name}: {', '.join(row.also_changed)}"
    for row in rows:
        if row.aliases:
            yield f"{row.name} is also called {', '.join(row.aliases)}"


def _cut_changes(rows: Sequence[VariantAnalysis], column: Laid | None) -> Iterator[str]:
    """What a patch changes, where the column had no room for it."""
    for index, row in enumerate(rows):
        if row.changes and (column is None or column.within(column.cells[index]) != column.cells[index]):
            yield f"{row.name} changes {row.changes}"


def _untold(rows: Sequence[VariantAnalysis], column: Laid | None) -> Iterator[str]:
    """Verdict notes that the cell does not show."""
    for index, row in enumerate(rows):
        if row.verdict_note and not (short_note(row) and column and short_note(row) in column.cells[index]):
            yield f"{row.name}: {row.verdict}, {row.verdict_note}"


def _warnings(rows: Sequence[VariantAnalysis]) -> Iterator[str]:
    """Warnings of the manifest and lints of the model; what the baseline already has is said once."""
    inherited = {text for row in rows if row.role == "baseline" for text in (*row.warnings, *row.lints)}
    for row in rows:
        for text in dict.fromkeys((*row.warnings, *row.lints)):
            if row.role == "baseline" or text not in inherited:
                yield f"warning, {row.name}: {text}"


def _failures(analysis: StudyAnalysis) -> Iterator[str]:
    for failure in analysis.failures:
        yield f"{failure.variant}, seed {failure.seed} {failure.state}: {failure.reason}"


def _cost_predictions(rows: Sequence[VariantAnalysis]) -> Iterator[str]:
    for row in rows:
        for prediction in row.predictions:
            if prediction.name != "gain":
                middle = sum(prediction.expected) / 2
                seen = ABSENT if prediction.observed is None else f"x{prediction.observed:.3g}"
                yield f"{row.name}: expected {prediction.name} x{middle:.3g}, measured {seen}: {prediction.outcome}"
