"""A study in, all that its report says out, in the order of reading. The one place where that order is decided."""

from collections.abc import Iterable, Iterator
from itertools import chain

from ablate.analysis.outcome import StudyAnalysis
from ablate.report.columns import columns
from ablate.report.content.block import Block, Content, Lines, Ranking
from ablate.report.content.doubts import doubts, verdicts
from ablate.report.content.guide import guide
from ablate.report.content.head import head, title
from ablate.report.content.origin import origin
from ablate.report.content.pictures import figures, models_as_fitted
from ablate.report.content.table.breakdown import models, sessions, units
from ablate.report.content.table.classes import confusions, subjects
from ablate.report.content.table.confirmed import confirmed
from ablate.report.content.table.measured import measured
from ablate.report.content.table.numbers import subjects_of_numbers, targets
from ablate.report.content.table.repeats import repeats
from ablate.report.content.table.retuned import retuned
from ablate.report.content.table.rows import changes
from ablate.result import Store

ORDER = (
    "What helps stands first, then what is negligible or without evidence, then what hurts; each by the lower end of "
    "its 95 % interval, never by the gain alone."
)


def compose(analysis: StudyAnalysis, store: Store | None = None) -> Content:
    """store: the study's folder, for its models' pictures and its device."""
    parts: Iterable[Iterator[Block]] = (
        head(analysis),
        _ranking(analysis),
        confirmed(analysis),
        retuned(analysis),
        doubts(analysis),
        _next(analysis),
        verdicts(analysis),
        changes(analysis),
        figures(analysis),
        repeats(analysis),
        sessions(analysis),
        subjects(analysis),
        confusions(analysis),
        targets(analysis),
        subjects_of_numbers(analysis),
        measured(analysis),
        models(analysis),
        models_as_fitted(analysis, store),
        guide(analysis),
        origin(analysis, store),
    )
    return Content(title(analysis), tuple(chain.from_iterable(parts)), analysis)


def compose_units(analysis: StudyAnalysis) -> Content:
    """Every unit's own score under every variant, for studies of few units."""
    return Content(title(analysis), (*head(analysis), *units(analysis)), analysis)


def _ranking(analysis: StudyAnalysis) -> Iterator[Block]:
    yield Ranking("ranking", "Ranking", columns(analysis), analysis.rows, ORDER)


def _next(analysis: StudyAnalysis) -> Iterator[Block]:
    if analysis.next_steps:
        yield Lines("next", "What to run next", analysis.next_steps, "steps", "next", brief=True)
