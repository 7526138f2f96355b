"""Interaction matrix: what two patches do together beyond the sum of what each does alone.

    off the diagonal   both - first - second + neither      redundant below zero, synergistic above
    on the diagonal    the patch alone

Paired by seed, per cent of the baseline; set in bold where clear of noise (Holm over the pairs).
"""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from ablate.analysis.outcome import Gain, Pair, StudyAnalysis
from ablate.analysis.words import signed
from ablate.disk.read import Json
from ablate.report.figures.style import GRID, INK, MUTED, OKABE_ITO, figure, name_of

DIVERGING = LinearSegmentedColormap.from_list("interplay", [OKABE_ITO[4], "#f1f0ee", OKABE_ITO[3]])
MOST = 12
NUMBERS_ON = "#16191d"
"""Text on a coloured cell: the cells are light in any scheme."""


def draw(analysis: StudyAnalysis) -> Figure | None:
    """None where no pair of patches was run together and each alone."""
    pairs = analysis.attribution.pairs
    names = list(dict.fromkeys(name for pair in pairs for name in (pair.first, pair.second)))[:MOST]
    if not pairs:
        return None
    size = max(1.8 + 0.82 * len(names), 3.6)
    drawing = figure(size * 0.8, width=min(size * 1.35, 7.2))
    axes = drawing.add_subplot()
    relative = all(pair.effect.relative is not None for pair in pairs)
    values = _matrix(analysis, names, relative)
    beside = np.where(np.eye(len(names), dtype=bool), np.nan, values)  # the diagonal is another quantity: no colour
    reach = 1.5 * float(np.nanmax(np.abs(beside))) or 1.0  # leaves the darkest colours out: numbers stand on them
    image = axes.imshow(beside, cmap=DIVERGING, vmin=-reach, vmax=reach)
    _numbers(axes, analysis, names, values, relative)
    axes.set_xticks(range(len(names)), [name_of(name, 14) for name in names], **_turned(names))
    axes.set_yticks(range(len(names)), [name_of(name, 14) for name in names])
    axes.tick_params(length=0)
    for side in axes.spines.values():
        side.set_visible(False)
    bar = drawing.colorbar(image, ax=axes, shrink=0.8, pad=0.03)
    bar.outline.set_visible(False)  # type: ignore[operator]
    bar.set_label("redundant   ·   synergistic", color=MUTED)
    axes.set_xlabel(f"in % of the baseline's {analysis.unit}" if relative else f"in {analysis.unit}")
    return drawing


def _turned(names: list[str]) -> Json:
    """Long names are turned, so that they do not run into one another."""
    if max(map(len, names)) <= 8:
        return {}
    return {"rotation": 35, "ha": "right", "rotation_mode": "anchor"}


def _value(gain: Gain, relative: bool) -> float:
    return 100 * (gain.relative or 0.0) if relative else gain.mean


def _matrix(analysis: StudyAnalysis, names: list[str], relative: bool) -> np.ndarray:
    values = np.full((len(names), len(names)), np.nan)
    for pair in analysis.attribution.pairs:
        if pair.first in names and pair.second in names:
            row, column = names.index(pair.first), names.index(pair.second)
            values[max(row, column), min(row, column)] = _value(pair.effect, relative)
    for place, name in enumerate(names):
        gain = _alone(analysis, name)
        if gain is not None:
            values[place, place] = _value(gain, relative)
    return values


def _alone(analysis: StudyAnalysis, patch: str) -> Gain | None:
    return next((row.gain for row in analysis.rows if row.patches == (patch,) and row.role == "variant"), None)


def _numbers(axes: Axes, analysis: StudyAnalysis, names: list[str], values: np.ndarray, relative: bool) -> None:
    clear = {frozenset((pair.first, pair.second)): pair for pair in analysis.attribution.pairs}
    for row, column in zip(*np.nonzero(~np.isnan(values)), strict=True):
        off = row != column
        pair = clear.get(frozenset((names[row], names[column]))) if off else None
        text = _text(float(values[row, column]), pair, relative)
        weight = "bold" if pair is not None and pair.interplay != "no evidence" else "normal"
        color = NUMBERS_ON if off else INK
        axes.text(column, row, text, ha="center", va="center", color=color, fontsize=7.5, fontweight=weight)
        if row == column:
            axes.add_patch(_frame(int(row)))


def _text(value: float, pair: Pair | None, relative: bool) -> str:
    number = signed(value, 1 if relative else 3)
    if pair is None:
        return f"{number}\nalone"
    return number if pair.interplay == "no evidence" else f"{number}\n{pair.interplay}"


def _frame(place: int) -> Rectangle:
    """A rim that sets the diagonal apart."""
    return Rectangle((place - 0.5, place - 0.5), 1, 1, fill=False, edgecolor=GRID, lw=2.5)
