"""How every figure looks: one colour and one marker a variant throughout a study, one type size, thin grey grids.

Colours are those of Okabe and Ito (2008), told apart with any colour vision; from the eighth variant on they come
round again with another marker and dash. The baseline is grey; references are drawn in ink, with a marker of their own.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import matplotlib.style
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from ablate.analysis.outcome import StudyAnalysis, VariantAnalysis
from ablate.analysis.words import count
from ablate.report.text import cut, plain

OKABE_ITO = ("#e69f00", "#56b4e9", "#009e73", "#0072b2", "#d55e00", "#cc79a7", "#b8a900")
"""Orange, sky blue, bluish green, blue, vermilion, purple, and yellow, darkened to be seen on white."""
MARKERS = ("o", "s", "D", "^", "v", "P", "X")
REFERENCE_MARKERS = ("*", "p", "h", "d")

INK = "#1c2128"
MUTED = "#68707c"
GRID = "#dfe2e7"
PAPER = "#fefefe"
"""Not quite white, so that a page can tell it from a white that is meant."""
BASELINE = "#8c939d"
BAND = "#c9ced6"
"""Expected ranges."""

WIDTH = 7.2
"""Inches: a page's text width."""

RC = {
    "figure.dpi": 144,
    "savefig.dpi": 200,
    "figure.facecolor": PAPER,
    "savefig.facecolor": PAPER,
    "axes.facecolor": "none",
    "font.family": ["DejaVu Sans"],
    "font.size": 8.5,
    "axes.titlesize": 9,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.labelsize": 8.5,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": MUTED,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "text.color": INK,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.major.size": 3,
    "ytick.major.size": 3,
    "axes.linewidth": 0.7,
    "xtick.major.width": 0.7,
    "ytick.major.width": 0.7,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
    "axes.unicode_minus": True,
    "text.parse_math": False,  # a variant may be called a$b$c
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "ablate",
    "pdf.fonttype": 42,
}


@contextmanager
def styled() -> Iterator[None]:
    """The style, whatever a user's own matplotlibrc says."""
    with matplotlib.style.context(["default", RC]):
        yield


Dash = str | tuple[int, tuple[float, ...]]
DASHES: tuple[Dash, ...] = ("-", (0, (4, 1)), (0, (1, 1)), (0, (6, 1, 1, 1)))
REFERENCE_DASHES: tuple[Dash, ...] = ((0, (5, 2)), (0, (1.5, 1.5)), (0, (7, 2, 1, 2)), (0, (3, 1, 1, 1, 1, 1)))


@dataclass(frozen=True)
class Look:
    """How a variant is drawn."""

    color: str
    marker: str
    dash: Dash = "-"

    @property
    def size(self) -> float:
        """Points; stars and diamonds look smaller than they are."""
        return {"*": 9.5, "D": 5.2, "P": 7.0, "X": 7.0, "d": 7.0, "p": 7.0, "h": 7.0}.get(self.marker, 6.2)


def looks(analysis: StudyAnalysis) -> dict[str, Look]:
    """The look of every row by name: in the order of the manifest, so that a new rank never changes a colour."""
    planned = [*analysis.family, *(row.name for row in analysis.rows if row.role in ("variant", "control"))]
    found = {}
    for index, name in enumerate(dict.fromkeys(planned)):
        cycle = index // len(OKABE_ITO)
        found[name] = Look(
            OKABE_ITO[index % len(OKABE_ITO)], MARKERS[cycle % len(MARKERS)], DASHES[cycle % len(DASHES)]
        )
    for index, row in enumerate(sorted(analysis.references, key=lambda row: row.name)):
        cycle = index % len(REFERENCE_MARKERS)
        found[row.name] = Look(INK, REFERENCE_MARKERS[cycle], REFERENCE_DASHES[cycle])
    found[analysis.baseline_name] = Look(BASELINE, "o")
    return found


# ------------------------------------------------------------------ rows


def name_of(row: VariantAnalysis | str, width: int = 26) -> str:
    """A variant's name as one printable, bounded line."""
    return cut(plain(row if isinstance(row, str) else row.name), width)


def is_relative(rows: Sequence[VariantAnalysis]) -> bool:
    """Whether gains can be told in per cent of the baseline."""
    return any(row.gain is not None and row.gain.relative is not None for row in rows)


# ------------------------------------------------------------------ axes


def figure(height: float, width: float = WIDTH) -> Figure:
    """An empty figure that makes room for its labels."""
    return Figure(figsize=(width, height), layout="constrained")


def grid(axes: Axes, axis: str = "both") -> None:
    """Thin grey lines behind everything."""
    axes.grid(True, axis=axis)  # type: ignore[arg-type]


def log_axis(axes: Axes) -> None:
    """A log x axis with plain numbers: 2 M, 10 M."""
    axes.set_xscale("log")
    low, high = axes.get_xlim()
    decades = np.log10(high / low)
    axes.xaxis.set_major_locator(LogLocator(base=10, subs=(1.0,) if decades > 1.6 else (1.0, 2.0, 5.0), numticks=9))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.tick_params(axis="x", which="minor", length=0)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: count(value)))


def window(
    core: Sequence[float], wide: Sequence[float] = (), *, reach: float = 1.5, pad: float = 0.08
) -> tuple[float, float]:
    """Limits that show all of `core`, and of `wide` what lies within `reach` times its span beyond it."""
    low, high = min(core), max(core)
    span = (high - low) or abs(high) or 1.0
    near = [value for value in wide if low - reach * span <= value <= high + reach * span]
    low, high = min([low, *near]), max([high, *near])
    room = pad * ((high - low) or span)
    return low - room, high + room


def spread_out(values: Sequence[float], least: float, low: float, high: float) -> list[float]:
    """The values moved apart to at least `least` from one another, in their order, within the limits if they fit."""
    order = np.argsort(values, kind="stable")
    placed = np.array(values, dtype=float)[order]
    least = min(least, (high - low) / max(len(placed) - 1, 1))
    for _ in range(200):
        gaps = np.diff(placed)
        close = np.flatnonzero(gaps < least - 1e-12)
        if not len(close):
            break
        for index in close:
            push = (least - (placed[index + 1] - placed[index])) / 2
            placed[index] -= push
            placed[index + 1] += push
        placed = np.clip(placed, low, high)
    result = np.empty(len(placed))
    result[order] = placed
    return result.tolist()
