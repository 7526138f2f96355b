"""The kinds of blocks that a report is made of. Each writer knows how to write each kind, not what it says."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from ablate.analysis.outcome import StudyAnalysis, VariantAnalysis
from ablate.report.columns import Column

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Tone = Literal["name", "question", "answer", "alarm", "warning", "failure", "quiet", "steps", "overview"]


@dataclass(frozen=True)
class Lines:
    """Sentences. label: stands before each of them where there is no heading. brief: belongs to the short report; these
    may be cut to fit a screen, but for the first."""

    key: str
    title: str
    lines: tuple[str, ...]
    tone: Tone = "quiet"
    label: str = ""
    brief: bool = False


@dataclass(frozen=True)
class Facts:
    """Names and values. A name may come with a formula or a long text as its value."""

    key: str
    title: str
    facts: tuple[tuple[str, str], ...]
    brief: bool = False


@dataclass(frozen=True)
class Ranking:
    """The rows of the study in its columns. note: how they are ordered."""

    key: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[VariantAnalysis, ...]
    note: str
    brief: bool = True


@dataclass(frozen=True)
class Table:
    """Cells under headings. right: the indices of columns of numbers. folded: long, opened only where asked for."""

    key: str
    title: str
    headings: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right: tuple[int, ...] = ()
    note: str = ""
    folded: bool = False
    brief: bool = False


@dataclass(frozen=True)
class Code:
    """Text as somebody wrote it, line by line."""

    key: str
    title: str
    text: str
    brief: bool = False


@dataclass(frozen=True)
class Picture:
    """A drawn figure. name: unique in a report. variant: whose it is; empty for the study's own. scale: CSS pixels a
    point."""

    name: str
    title: str
    caption: str
    figure: "Figure"
    variant: str = ""
    scale: float = 1.6


@dataclass(frozen=True)
class Pictures:
    """Figures, drawn when a writer asks for them: a terminal never does."""

    key: str
    title: str
    drawn: Callable[[], Iterable[Picture]]
    how: str
    """How somebody who cannot see them gets them."""
    brief: bool = False


Block = Lines | Facts | Ranking | Table | Code | Pictures


@dataclass(frozen=True)
class Content:
    """Everything that a report says, in the order of reading. title: of a document."""

    title: str
    blocks: tuple[Block, ...]
    analysis: StudyAnalysis | None = None
    """Of one study; None where several are shown."""
