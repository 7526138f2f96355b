"""Several studies at a glance: one line a study."""

from collections.abc import Sequence

from ablate.analysis.outcome import StudyAnalysis
from ablate.report.content.block import Content, Lines
from ablate.result.provenance import StudyFacts


def overview(studies: Sequence[tuple[StudyFacts, StudyAnalysis]]) -> Content:
    """What each asked, what it found, and when and from which code."""
    lines = tuple(_line(facts, analysis.answer) for facts, analysis in studies)
    title = f"{len(studies)} studies"
    return Content(title, (Lines("overview", title, lines, "overview", brief=True),))


def _line(facts: StudyFacts, answer: str) -> str:
    """The commit with the most runs, and how many others there are."""
    first = next(iter(facts.commits), "")
    commit = first if len(facts.commits) < 2 else f"{first} and {len(facts.commits) - 1} more"
    runs = f"{facts.runs_done} of {facts.runs_planned} runs"
    origin = ", ".join(part for part in (runs, f"commit {commit}" if commit else "", facts.finished) if part)
    return f"{facts.name}: {facts.question} Answer: {answer} ({origin})"
