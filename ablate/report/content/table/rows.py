"""What each variant is: what it changes, what moved with it, what was expected of it, every key that differs."""

from collections.abc import Iterator

from ablate.analysis.outcome import StudyAnalysis, VariantAnalysis
from ablate.analysis.words import expected_range, signed_percent
from ablate.report.content.block import Block, Lines, Table
from ablate.report.content.doubts import limited

MOST_KEYS, MOST_ROWS = 40, 600
LONGEST = 160


def changes(analysis: StudyAnalysis) -> Iterator[Block]:
    """A patch rarely changes one thing: a gain belongs to all of it."""
    sentences = [text for row in analysis.rows if row.role != "baseline" and (text := _change(row))]
    if sentences:
        yield Lines("changes", "What each variant changes", limited(sentences))
    expected = [text for row in analysis.rows for text in _predictions(row)]
    if expected:
        yield Lines("expectations", "What was expected", limited(expected))
    keys = [
        (row.name, path, _short(before), _short(after))
        for row in analysis.rows
        for path, before, after in row.differences[:MOST_KEYS]
    ]
    if keys:
        more = sum(len(row.differences) for row in analysis.rows) - len(keys[:MOST_ROWS])
        note = f"and {more} more keys: --format json has all" if more else ""
        headings = ("variant", "key", "baseline", "here")
        yield Table("keys", "Every key that differs", headings, tuple(keys[:MOST_ROWS]), note=note, folded=True)


def _change(row: VariantAnalysis) -> str:
    """`p1, smaller tokens, changes tokens 8->4 px; also moved: tokenizer -4.23 M weights.`"""
    parts = [f"changes {row.changes}"] if row.changes else []
    parts += [f"also moved: {', '.join(row.also_changed)}"] if row.also_changed else []
    parts += [f"is also called {', '.join(row.aliases)}"] if row.aliases else []
    title = f", {row.title}," if row.title and row.title != row.name else ""
    return f"{row.name}{title} {'; '.join(parts)}." if parts else ""


def _predictions(row: VariantAnalysis) -> Iterator[str]:
    for found in row.predictions:
        if found.name == "gain":
            seen = "not measured" if found.observed is None else f"measured {signed_percent(found.observed)}"
            yield f"{row.name}: expected gain {expected_range(found.expected)}, {seen}: {found.outcome}."
        else:
            seen = "not measured" if found.observed is None else f"measured x{found.observed:.3g}"
            middle = sum(found.expected) / 2
            yield f"{row.name}: expected {found.name} x{middle:.3g}, {seen}: {found.outcome}."


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
