"""What is wrong or may be: guards, warnings, failed runs. And how each row came by its verdict."""

from collections.abc import Iterator, Sequence

from ablate.analysis.guard.joined import sentences
from ablate.analysis.outcome import StudyAnalysis, VariantAnalysis
from ablate.analysis.words import listing
from ablate.report.content.block import Block, Lines
from ablate.report.content.head import WHOLE, sentence

MOST = 200
"""Lines of one kind; a larger study says how many more there are."""


def doubts(analysis: StudyAnalysis) -> Iterator[Block]:
    """Runs without a score, then what a reader must beware of."""
    failed = tuple(f"{one.variant}, seed {one.seed} {one.state}: {one.reason}" for one in analysis.failures)
    if failed:
        yield Lines("failures", "Runs without a score", limited(failed), "failure", brief=True)
    guards = [guard for guard in analysis.guards if guard.kind not in WHOLE]
    found = list(map(sentence, sentences(guards)))
    said = {*sentences(analysis.guards)}
    found += [note.text for note in analysis.notes if note.kind in ("warning", "expectation") and note.text not in said]
    found += _warnings(analysis.rows)
    if found:
        yield Lines("doubts", "What to doubt", limited(found), "warning", brief=True)


def limited(lines: Sequence[str]) -> tuple[str, ...]:
    """At most `MOST` of a kind."""
    if len(lines) <= MOST:
        return tuple(lines)
    return (*lines[:MOST], f"... and {len(lines) - MOST} more such lines (--format json has all)")


def _warnings(rows: Sequence[VariantAnalysis]) -> Iterator[str]:
    """Of the models. What the baseline already has is said once, and so are the same words of several variants."""
    inherited = {text for row in rows if row.role == "baseline" for text in row.lints}
    said: dict[str, list[str]] = {}
    for row in rows:
        for text in dict.fromkeys(row.lints):
            if row.role == "baseline" or text not in inherited:
                said.setdefault(text, []).append(row.name)
    for text, names in said.items():
        shown = ", ".join(names[:6]) + (f" and {len(names) - 6} more" if len(names) > 6 else "")
        others = " and every variant that builds on it" if text in inherited else ""
        yield f"Warning, {shown}{others}: {text}"


def verdicts(analysis: StudyAnalysis) -> Iterator[Block]:
    """The verdicts in sentences, where there is more to say than the word."""
    said: dict[str, list[str]] = {}
    for row in analysis.rows:
        if row.verdict_note:
            said.setdefault(f"{row.verdict}; {_whole(row)}", []).append(row.name)
    if said:
        lines = [f"{listing(names)}: {text}." for text, names in said.items()]
        yield Lines("verdicts", "Behind the verdicts", limited(lines))


def _whole(row: VariantAnalysis) -> str:
    """The note as a stranger understands it."""
    parts = []
    for part in row.verdict_note.split(", "):
        if part == "early":
            part = "early, for learning had not ended when the runs stopped"
        elif part.startswith("would need "):
            seeds = part.removeprefix("would need ").replace("> ", "more than ")
            part = f"to tell a gain of this size from noise takes {seeds}, of {row.name} and of the baseline each"
        parts.append(part)
    return "; ".join(parts)
