"""The head of the page and the ranked table: question, answer, the figures that every row is read against, the rows."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from ablate.analysis import Interval, StudyAnalysis, VariantAnalysis
from ablate.analysis.headline import REHEARSAL
from ablate.analysis.words import (
    ABSENT,
    bracket,
    change,
    count,
    duration,
    expected_range,
    number,
    p_value,
    percent,
    percent_with_interval,
    plural,
    ratio,
    with_interval,
)
from ablate.report.figures.style import BASELINE, INK, OKABE_ITO, Look
from ablate.report.html.markup import Html, html, section, tag


def head(analysis: StudyAnalysis) -> Html:
    """Question and answer in a sentence each, and the landmarks."""
    data = ", ".join(part for part in (analysis.data_description, plural(len(analysis.seeds), "seed")) if part)
    return html(
        [
            tag("div", REHEARSAL, class_="banner") if analysis.rehearsal else Html(""),
            tag("p", f"{analysis.name} · {data} · test {analysis.unit}", class_="kicker"),
            tag("h1", analysis.question),
            tag("p", _capital(analysis.answer.removeprefix(REHEARSAL).strip()), class_="answer"),
            tag("ul", (_mark(title, value) for title, value in landmarks(analysis)), class_="marks"),
        ]
    )


def _capital(text: str) -> str:
    """A sentence that opens with a variant's name keeps the name as it is."""
    return text[:1].upper() + text[1:] if text.startswith(("no ", "one ")) else text


def _mark(title: str, value: str) -> Html:
    return tag("li", tag("b", value), tag("span", title))


def landmarks(analysis: StudyAnalysis) -> Iterator[tuple[str, str]]:
    """The figures that every row is read against."""
    if analysis.baseline.score is not None:
        yield f"{analysis.baseline_name}, {analysis.unit}", _score(analysis.baseline)
    for row in analysis.references:
        if row.score is not None:
            yield f"{row.name} (reference)", number(row.score.mean)
    if analysis.attainable is not None:
        yield "attainable by the true rates", number(analysis.attainable)
    if analysis.floor is not None:
        yield "floor: contrast and behaviour, no receptive field", number(analysis.floor)
    if analysis.attainable_accuracy is not None:
        yield "attainable accuracy", number(analysis.attainable_accuracy)
    if analysis.detectable is not None:
        relative = analysis.detectable_relative
        size = number(analysis.detectable) if relative is None else percent(relative)
        yield "smallest gain these seeds can find", size
    done = analysis.runs_done + analysis.runs_failed
    yield "runs", f"{done} of {analysis.runs_planned}" if done < analysis.runs_planned else str(done)


def next_steps(analysis: StudyAnalysis) -> Html:
    """What to run next."""
    if not analysis.next_steps:
        return Html("")
    return section("next", "What to run next", tag("ol", (tag("li", step) for step in analysis.next_steps)))


# ------------------------------------------------------------------ the table


def ranked(analysis: StudyAnalysis, looks: dict[str, Look]) -> Html:
    """The ranked table and the lines beneath it."""
    columns = [column for column in _columns(analysis) if _says_something(column, analysis.rows)]
    rows = [_row(analysis, index, looks, columns) for index in range(len(analysis.rows))]
    titles = (
        tag("th", column.title, class_=column.class_ if column.class_ in ("right", "name") else None)
        for column in columns
    )
    heads = tag("tr", titles)
    whole = tag("table", tag("thead", heads), tag("tbody", rows), class_="ranked")
    told = [note.text for note in analysis.notes if note.kind not in ("rehearsal", "warning", "expectation")]
    order = "Ranked by the lower end of the gain's 95 % interval among those that help, never by the gain alone."
    return section(
        "table",
        "Ranking",
        tag("div", whole, class_="scroll"),
        tag("ul", (tag("li", text) for text in (order, *told)), class_="quiet notes"),
    )


@dataclass(frozen=True)
class Column:
    """class_: of its cells, in style.css."""

    title: str
    cell: Callable[[VariantAnalysis], str]
    class_: str = ""


def _columns(analysis: StudyAnalysis) -> tuple[Column, ...]:
    relative = any(row.gain is not None and row.gain.relative is not None for row in analysis.rows)
    return (
        Column("#", lambda row: "" if row.rank is None else str(row.rank), "right"),
        Column("variant", lambda row: row.name, "name"),
        Column("what it changes", _changes, "words"),
        Column("gain, 95 %", _relative if relative else _absolute),
        Column("verdict", _verdict, "verdict"),
        Column("expected", lambda row: expected_range(row.prediction.expected if row.prediction else None)),
        Column("gap", lambda row: "" if row.gap.share is None else percent(row.gap.share, 0), "right"),
        Column(analysis.unit, _score),
        Column("accuracy", lambda row: number(row.accuracy)),
        Column("ceiling", _ceiling, "right"),
        Column("parameters", _parameters),
        Column("FLOPs", lambda row: ratio(row.cost.flops_ratio), "right"),
        Column("time", lambda row: duration(row.cost.seconds), "right"),
        Column("seeds", lambda row: row.finite),
        Column(
            "p", lambda row: "" if row.gain is None or row.gain.p_holm is None else p_value(row.gain.p_holm), "right"
        ),
        Column(_units_title(analysis), _over_units, "small"),
        Column("other minutes, 95 %", _over_time, "small"),
    )


def _says_something(column: Column, rows: Sequence[VariantAnalysis]) -> bool:
    return any(column.cell(row) not in ("", ABSENT) for row in rows)


def _row(analysis: StudyAnalysis, index: int, looks: dict[str, Look], columns: Sequence[Column]) -> Html:
    row = analysis.rows[index]
    before = analysis.rows[index - 1].role if index else row.role
    classes = ["winner"] if row.name == analysis.winner else []
    classes += ["apart"] if row.role != "variant" and before == "variant" else []
    cells = []
    for column in columns:
        content = [dot(looks[row.name]), row.name, _also(row)] if column.title == "variant" else column.cell(row)
        cells.append(tag("td", content, class_=column.class_ or None))
    return tag("tr", cells, class_=" ".join(classes) or None)


def dot(look: Look) -> Html:
    """The colour of a variant in every figure."""
    known = {INK: "currentColor", BASELINE: "var(--baseline)"}
    color = known.get(look.color) or f"var(--c{OKABE_ITO.index(look.color)})"
    return tag("span", class_="dot" if look.marker == "o" else "dot cycle", style=f"background: {color}")


def _also(row: VariantAnalysis) -> Html:
    """Its other names."""
    return tag("span", f" = {', '.join(row.aliases)}", class_="small") if row.aliases else Html("")


def _changes(row: VariantAnalysis) -> str:
    return row.changes or ("nothing (control)" if row.role == "control" else row.title)


def _score(row: VariantAnalysis) -> str:
    """0.412 ±0.011: the t interval is as wide on either side."""
    if row.score is None or row.score.interval is None:
        return number(row.score.mean if row.score else None)
    return f"{number(row.score.mean)} ±{number((row.score.interval.high - row.score.interval.low) / 2)}"


def _ceiling(row: VariantAnalysis) -> str:
    """Share of what the true rates score; far below zero it says nothing."""
    return "" if row.ceiling_share is None or row.ceiling_share < -1 else percent(row.ceiling_share, 0)


def _relative(row: VariantAnalysis) -> str:
    return "" if row.gain is None else percent_with_interval(row.gain.relative, row.gain.relative_interval)


def _absolute(row: VariantAnalysis) -> str:
    return "" if row.gain is None else with_interval(row.gain.mean, row.gain.interval, sign=True)


def _over_units(row: VariantAnalysis) -> str:
    gain = row.gain
    return "" if gain is None else _ends(gain.over_units, gain.over_units_relative)


def _over_time(row: VariantAnalysis) -> str:
    gain = row.gain
    return "" if gain is None else _ends(gain.over_time, gain.over_time_relative)


def _ends(absolute: Interval | None, relative: Interval | None) -> str:
    return bracket(absolute, sign=True) if relative is None else bracket(relative, 1, scale=100.0, sign=True)


def _units_title(analysis: StudyAnalysis) -> str:
    """Fewer than five sessions are no sample of other neurons."""
    few = any(guard.kind == "few sessions" for guard in analysis.guards)
    return "these sessions' neurons" if few else "other neurons, 95 %"


def _verdict(row: VariantAnalysis) -> Html:
    """The word, how the expectation fared, and what stands behind it."""
    prediction = row.prediction
    notes: list[str] = [prediction.outcome] if prediction is not None else []
    notes += [row.verdict_note] if row.verdict_note else []
    return html(
        [
            tag("span", row.verdict, class_=f"tag {row.verdict.replace(' ', '-')}"),
            tag("span", f" {', '.join(notes)}", class_="small") if notes else Html(""),
        ]
    )


def _parameters(row: VariantAnalysis) -> str:
    total = count(row.cost.total_parameters)
    if row.role == "baseline" or row.cost.parameters_ratio in (None, 1.0):
        return total
    return f"{total} ({change(row.cost.parameters_ratio)})"
