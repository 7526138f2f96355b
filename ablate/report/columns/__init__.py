"""Every column of the ranked table, once: its heading, how it is written long and short, its side, and its names in
CSV and JSON. All writers take them from here.

Gains in CSV and JSON (`gain`, `gain_low`, `gain_high`) are in the metric's unit; `gain_relative...` are shares of the
baseline's mean (0.05 = 5 %). Intervals are 95 %: `_low`, `_high` over seeds (t, Fieller), `gain_units_...` over units
nested in sessions, `gain_time_...` over blocks of the test's time.
"""

from ablate.analysis.outcome import StudyAnalysis
from ablate.analysis.words import ABSENT
from ablate.report.columns.beside import beside, cost
from ablate.report.columns.column import Column
from ablate.report.columns.confirmed import confirmed
from ablate.report.columns.gain import identity, judgement, score, verdict_words
from ablate.report.columns.retuned import retuned

GIVING_WAY = (
    "gain_absolute", "memory", "gain_absolute", "seconds", "ceiling", "verdict", "score", "p_holm", "variant",
    "score", "seeds", "flops", "gap", "parameters", "parameters", "expected", "changes", "expected", "macro_f1",
    "balanced", "accuracy", "concordance", "correlation", "variant", "gain", "score", "balanced", "verdict",
)  # fmt: skip
"""The order in which a terminal shortens or drops columns, one form at a time, until the table fits. Columns that are
not named go before these.
"""


def columns(analysis: StudyAnalysis) -> tuple[Column, ...]:
    """All columns in order, those left out that would be empty."""
    shown = (column for column in all_columns(analysis) if column.kept or _says_something(column, analysis))
    return tuple(shown)


def all_columns(analysis: StudyAnalysis) -> tuple[Column, ...]:
    """The same columns for every study, as programs expect them."""
    return (
        *identity(),
        *score(analysis),
        *judgement(analysis.replicate),
        confirmed(),
        retuned(),
        *beside(analysis),
        *cost(),
    )


def _says_something(column: Column, analysis: StudyAnalysis) -> bool:
    return any(column.forms[-1].cell(row) not in ("", ABSENT) for row in analysis.rows)
