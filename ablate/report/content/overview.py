"""Several studies at a glance: one line a study."""

from collections.abc import Sequence

from ablate.analysis import StudyAnalysis
from ablate.report.content.block import Content, Table
from ablate.result.provenance import StudyFacts

HEADINGS = ("study", "question", "answer", "runs", "commit", "date")


def overview(studies: Sequence[tuple[StudyFacts, StudyAnalysis]]) -> Content:
    """What each asked, what it found, and when and from which code."""
    lines = tuple(_line(facts, analysis.answer) for facts, analysis in studies)
    table = Table("overview", "Studies", HEADINGS, lines, right=(3,), brief=True)
    return Content(f"{len(studies)} studies", (table,))


def _line(facts: StudyFacts, answer: str) -> tuple[str, ...]:
    """The commit with the most runs, and how many others there are."""
    first = next(iter(facts.commits), "")
    commit = first if len(facts.commits) < 2 else f"{first} +{len(facts.commits) - 1}"
    return facts.name, facts.question, answer, f"{facts.runs_done}/{facts.runs_planned}", commit, facts.finished
