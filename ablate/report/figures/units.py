"""Every unit under the variant against the same unit under the baseline: who gains, and whether a few carry the mean.

Means over the paired seeds, on the test split. Above the diagonal a unit gained.
"""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ablate.analysis import StudyAnalysis, UnitGain, VariantAnalysis
from ablate.analysis.best import drawn_rows
from ablate.metric import metric_named
from ablate.report.figures.style import BASELINE, INK, MUTED, Look, figure, grid, looks, name_of

MOST = 3
TRIMMED = 0.01
"""Share of the units at either end that may be drawn on the rim, so that one wild unit does not hide the others."""


def draw(analysis: StudyAnalysis) -> Figure | None:
    """The winner, or where nothing wins the first three of the ranking; None without per-unit scores."""
    rows = [row for row in drawn_rows(analysis, MOST)[:MOST] if len(row.units) > 1]
    if not rows:
        return None
    drawing = figure(3.3 if len(rows) == 1 else 2.7, width=4.0 if len(rows) == 1 else 7.2)
    style = looks(analysis)
    limits = _limits([unit for row in rows for unit in row.units])
    noun = f"{metric_named(analysis.metric).noun}s"
    for index, row in enumerate(rows):
        axes = drawing.add_subplot(1, len(rows), index + 1)
        _panel(axes, row, style[row.name], limits, noun)
        axes.set_xlabel(f"{name_of(analysis.baseline_name, 18)}, {analysis.unit}")
        axes.set_ylabel(f"{name_of(row, 22)}" + (f", {analysis.unit}" if len(rows) == 1 else ""))
    return drawing


def _limits(units: Sequence[UnitGain]) -> tuple[float, float]:
    values = np.array([[unit.baseline, unit.score] for unit in units]).ravel()
    low, high = np.quantile(values, [TRIMMED, 1 - TRIMMED])
    low, high = (low, high) if len(units) > 100 else (values.min(), values.max())
    room = 0.06 * ((high - low) or 1.0)
    return float(low - room), float(high + room)


def _panel(axes: Axes, row: VariantAnalysis, look: Look, limits: tuple[float, float], noun: str) -> None:
    baseline = np.array([unit.baseline for unit in row.units])
    score = np.array([unit.score for unit in row.units])
    axes.set_xlim(limits)
    axes.set_ylim(limits)
    axes.set_aspect("equal")
    axes.plot(limits, limits, color=INK, lw=0.8, zorder=1)
    if limits[0] < 0 < limits[1]:
        axes.axhline(0, color=BASELINE, lw=0.6, zorder=1)
        axes.axvline(0, color=BASELINE, lw=0.6, zorder=1)
    inside = (np.clip(baseline, *limits) == baseline) & (np.clip(score, *limits) == score)
    alpha = 0.85 if len(score) <= 150 else 0.45
    size = 14 if len(score) <= 150 else 6
    axes.scatter(
        baseline[inside], score[inside], s=size, color=look.color, alpha=alpha, linewidths=0, zorder=2,
        rasterized=len(score) > 4000,
    )  # fmt: skip
    axes.plot(
        np.clip(baseline[~inside], *limits), np.clip(score[~inside], *limits), "x", color=look.color, ms=4,
        clip_on=False, zorder=3,
    )  # fmt: skip
    better = float((score > baseline).mean())
    told = f"{100 * better:.0f} % of {len(score)} {noun} gain"
    axes.text(0.04, 0.97, told, transform=axes.transAxes, va="top", fontsize=8)
    if not inside.all():
        axes.text(
            0.97, 0.03, f"x: {int((~inside).sum())} beyond the rim", transform=axes.transAxes, ha="right",
            color=MUTED, fontsize=7.5,
        )  # fmt: skip
    grid(axes)
