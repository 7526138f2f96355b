"""Takes a `StudyAnalysis`, gives something to look at: table, export, figures, page. Loads no torch.

analysis -> content (what is said, once, as data) -> writer (terminal, Markdown, LaTeX, page, CSV and JSON)
"""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Literal, get_args

from ablate.analysis.outcome import StudyAnalysis
from ablate.errors import AblateError
from ablate.report.content import Content, compose, compose_units
from ablate.report.writer.latex import latex
from ablate.report.writer.markdown import markdown
from ablate.report.writer.table_data import csv_text, json_text
from ablate.report.writer.terminal import View, terminal_text

if TYPE_CHECKING:
    from ablate.result import Store

Format = Literal["table", "markdown", "csv", "json", "latex", "units"]
WIDTH = 140
LIVE = ("question", "answer", "landmarks", "ranking", "failures")
"""Blocks of a report that a running study shows."""


def render(
    analysis: StudyAnalysis,
    format: str = "table",
    width: int = WIDTH,
    *,
    details: bool = False,
    store: "Store | None" = None,
) -> str:
    """The report in one of the formats. Raises AblateError for an unknown one.

    width, details: of `table` alone, which is short without them. store: the study's folder, for what only it knows.
    """

    def content() -> Content:
        return compose(analysis, store)

    writers: dict[str, Callable[[], str]] = {
        "table": lambda: terminal_text(content(), width, details=details),
        "markdown": lambda: markdown(content()),
        "csv": lambda: csv_text(analysis),
        "json": lambda: json_text(content()),
        "latex": lambda: latex(content()),
        "units": lambda: markdown(compose_units(analysis)),
    }
    if format not in writers:
        raise AblateError(f"unknown format `{format}`", hint=f"one of {', '.join(get_args(Format))}")
    return writers[format]()


def live_table(analysis: StudyAnalysis) -> View:
    """What may change while a study runs, as a rich renderable: doubts and steps are those of the end."""
    content = compose(analysis)
    return View(replace(content, blocks=tuple(block for block in content.blocks if block.key in LIVE)))
