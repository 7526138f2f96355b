"""Several studies, one line each: what was asked, what was found, on how many runs of which code."""

from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from ablate.analysis import StudyAnalysis
from ablate.cli.console import out
from ablate.result import Store
from ablate.result.provenance import StudyFacts, study_facts


def print_overview(studies: Sequence[tuple[Store, StudyAnalysis]]) -> None:
    """The lines that stand before the tables of several studies."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for name in ("study", "question", "answer", "runs", "commit", "date"):
        table.add_column(name, no_wrap=name not in ("question", "answer"))
    for store, analysis in studies:
        facts = study_facts(store.manifest(), store.records())
        shown = (facts.name, facts.question, analysis.answer, _runs(facts), _commit(facts), facts.finished)
        table.add_row(*map(Text, shown))
    out().print(table)
    out().print()


def _runs(facts: StudyFacts) -> str:
    return f"{facts.runs_done}/{facts.runs_planned}"


def _commit(facts: StudyFacts) -> str:
    """The commit with the most runs, and how many others there are."""
    first = next(iter(facts.commits), "")
    return first if len(facts.commits) < 2 else f"{first} +{len(facts.commits) - 1}"
