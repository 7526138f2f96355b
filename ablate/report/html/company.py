"""What each patch changed beside its intent, what the manifest and the model warn of, and which runs gave no score."""

from collections.abc import Iterator, Sequence

from ablate.analysis import StudyAnalysis, VariantAnalysis
from ablate.analysis.words import expected_range, percent
from ablate.report.figures.style import Look
from ablate.report.html.markup import Html, html, section, table, tag
from ablate.report.html.ranked import dot

MOST_ROWS = 60
MOST_DIFFERENCES = 40
LONGEST = 160


def changes(analysis: StudyAnalysis, looks: dict[str, Look]) -> Html:
    """Intent and company of every row."""
    rows = [row for row in analysis.rows if row.role != "baseline"]
    more = len(rows) - MOST_ROWS
    return section(
        "changes",
        "What each patch changed",
        tag(
            "p",
            "A patch rarely changes one thing. The keys that were set, and what moved with them: a gain belongs to all "
            "of it.",
            class_="quiet",
        )
        if rows
        else None,
        [_patch(row, looks[row.name]) for row in rows[:MOST_ROWS]],
        tag("p", f"and {more} more rows: ablate report --format json has all.", class_="quiet") if more > 0 else None,
    )


def _patch(row: VariantAnalysis, look: Look) -> Html:
    predictions = [_prediction(row, index) for index in range(len(row.predictions))]
    return tag(
        "div",
        tag("h3", dot(look), row.name, tag("span", f"  {row.title}", class_="small") if row.title else None),
        tag("p", html([tag("span", "Intent: ", class_="small"), row.changes])) if row.changes else None,
        tag("p", html([tag("span", "Also changed: ", class_="small"), ", ".join(row.also_changed)]))
        if row.also_changed
        else None,
        tag("p", html([tag("span", "Expected: ", class_="small"), "; ".join(predictions)])) if predictions else None,
        _differences(row.differences),
        class_="patch",
    )


def _prediction(row: VariantAnalysis, index: int) -> str:
    found = row.predictions[index]
    if found.name == "gain":
        return f"gain {expected_range(found.expected)}, observed {percent(found.observed)}: {found.outcome}"
    seen = "not measured" if found.observed is None else f"measured x{found.observed:.3g}"
    return f"{found.name} x{sum(found.expected) / 2:.3g}, {seen}: {found.outcome}"


def _differences(differences: Sequence[tuple[str, str, str]]) -> Html:
    if not differences:
        return Html("")
    cells = (
        (
            tag("span", path, class_="mono"),
            tag("span", _short(before), class_="mono"),
            tag("span", _short(after), class_="mono"),
        )
        for path, before, after in differences[:MOST_DIFFERENCES]
    )
    shown = table(("key", "baseline", "here"), cells)
    more = len(differences) - MOST_DIFFERENCES
    return html([shown, tag("p", f"and {more} more keys", class_="quiet")]) if more > 0 else shown


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


# ------------------------------------------------------------------ warnings


def warnings(analysis: StudyAnalysis) -> Html:
    """Warnings of the manifest, lints of the models, failed runs, changed expectations."""
    told = [*_warnings(analysis), *_lints(analysis.rows)]
    failed = [
        f"{failure.variant}, seed {failure.seed} {failure.state}: {failure.reason}" for failure in analysis.failures
    ]
    return section(
        "warnings",
        "Warnings",
        tag("ul", (tag("li", text) for text in told[: 2 * MOST_ROWS]), class_="warnings") if told else None,
        [
            tag("h3", "Runs without a score"),
            tag("ul", (tag("li", text) for text in failed[:MOST_ROWS]), class_="failures"),
        ]
        if failed
        else None,
    )


def _warnings(analysis: StudyAnalysis) -> Iterator[str]:
    for note in analysis.notes:
        if note.kind in ("warning", "expectation"):
            yield note.text


def _lints(rows: Sequence[VariantAnalysis]) -> Iterator[str]:
    """What the baseline already has is said once; the same words of several variants are said together."""
    inherited = {text for row in rows if row.role == "baseline" for text in (*row.warnings, *row.lints)}
    said: dict[str, list[str]] = {}
    for row in rows:
        for text in dict.fromkeys((*row.warnings, *row.lints)):
            if row.role == "baseline" or text not in inherited:
                said.setdefault(text, []).append(row.name)
    for text, names in said.items():
        shown = ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
        yield f"{shown}{' and all that build on it' if text in inherited else ''}: {text}"
