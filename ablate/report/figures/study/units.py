"""Every unit's gain under a variant against its score under the baseline: who gains, and whether a few carry the mean.

Means over the paired seeds, on the test split. Above the line a unit gained; drawn as a difference, since scores that
differ by a few per cent all lie on the diagonal of a plot of one against the other.
"""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ablate.analysis.best import drawn_rows
from ablate.analysis.outcome import StudyAnalysis, VariantAnalysis
from ablate.metric import metric_named
from ablate.report.figures.style import INK, MUTED, Look, figure, grid, looks, name_of

MOST = 3
"""Patches; references and controls are drawn besides, all of them."""
COLUMNS = 3
TRIMMED = 0.01
"""Share of the units at either end that may be drawn on the rim, so that one wild unit does not hide the others."""

Limits = tuple[float, float]


def draw(analysis: StudyAnalysis) -> Figure | None:
    """The best patches, all references and controls; None without per-unit scores."""
    rows = [row for row in drawn_rows(analysis, MOST) if row.role != "baseline" and len(row.units) > 1]
    if not rows:
        return None
    columns = min(len(rows), COLUMNS)
    lines = -(-len(rows) // columns)
    drawing = figure(0.4 + 2.1 * lines, width=4.0 if columns == 1 else 7.2)
    style = looks(analysis)
    across = _limits(np.array([unit.baseline for row in rows for unit in row.units]))
    up = _limits(np.concatenate([[0.0], *(_gains(row) for row in rows if row.role != "reference")]))
    noun = f"{metric_named(analysis.metric).noun}s"
    for index, row in enumerate(rows):
        axes = drawing.add_subplot(lines, columns, index + 1)
        reference = _limits(np.append(_gains(row), 0.0)) if row.role == "reference" else None
        _panel(axes, row, style[row.name], across, reference or up, noun)
    drawing.supxlabel(f"{name_of(analysis.baseline_name, 30)}, {analysis.unit}", fontsize=8.5)
    drawing.supylabel(f"gain, {analysis.unit}", fontsize=8.5)
    return drawing


def _gains(row: VariantAnalysis) -> np.ndarray:
    return np.array([unit.gain for unit in row.units])


def _limits(values: np.ndarray) -> Limits:
    low, high = np.quantile(values, [TRIMMED, 1 - TRIMMED]) if len(values) > 100 else (values.min(), values.max())
    room = 0.06 * ((high - low) or 1.0)
    return float(low - room), float(high + room)


def _panel(axes: Axes, row: VariantAnalysis, look: Look, across: Limits, up: Limits, noun: str) -> None:
    baseline, gain = np.array([unit.baseline for unit in row.units]), _gains(row)
    axes.set_xlim(across)
    axes.set_ylim(up)
    axes.axhline(0, color=INK, lw=0.8, zorder=1)
    axes.axhline(float(np.median(gain)), color=look.color, lw=1.0, ls=(0, (4, 2)), zorder=3)
    inside = (np.clip(baseline, *across) == baseline) & (np.clip(gain, *up) == gain)
    few = len(gain) <= 150
    axes.scatter(
        baseline[inside], gain[inside], s=14 if few else 6, color=look.color, alpha=0.85 if few else 0.45,
        linewidths=0, zorder=2, rasterized=len(gain) > 4000,
    )  # fmt: skip
    better = f"better in {int((gain > 0).sum())} of {len(gain)} {noun}"
    axes.set_title(f"{name_of(row, 26)}\n{better}", fontsize=7.5, fontweight="normal")
    if not inside.all():  # an empty line that may leave the axes has no extent, and the layout collapses
        rim = np.clip(baseline[~inside], *across), np.clip(gain[~inside], *up)
        axes.plot(*rim, "x", color=look.color, ms=4, clip_on=False, zorder=3)
        beyond = f"x: {int((~inside).sum())} beyond the rim"
        axes.text(0.98, 0.02, beyond, transform=axes.transAxes, ha="right", color=MUTED, fontsize=6.5)
    grid(axes)
