"""Learning curves: validation score over training steps, mean and range over seeds.

The best patches, all references and controls, the baseline; a curve that still rises at its end was stopped too early.
"""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ablate.analysis.best import drawn_rows
from ablate.analysis.outcome import LearningCurve, StudyAnalysis, VariantAnalysis
from ablate.metric import metric_named
from ablate.report.figures.style import MUTED, Look, figure, grid, looks, name_of, spread_out, window

MOST = 5
"""Patches drawn beside the baseline, references and controls: more lines cannot be told apart."""


def draw(analysis: StudyAnalysis) -> Figure | None:
    """None where no run kept a learning curve of two points."""
    rows = [row for row in drawn_rows(analysis, MOST) if any(len(curve.steps) > 1 for curve in row.curves)]
    if not rows:
        return None
    drawing = figure(max(3.3, 0.5 + 0.22 * len(rows)))
    axes = drawing.add_subplot()
    style = looks(analysis)
    means = {}
    for row in rows:
        means[row.name] = _curve(axes, row.curves, style[row.name])
    _limits(axes, rows, means)
    _names(axes, rows, means, style)
    axes.set_xlabel("training step")
    axes.set_ylabel(f"validation {metric_named(analysis.metric).validation_label}")
    grid(axes)
    return drawing


def by_step(curves: Sequence[LearningCurve]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Steps, and mean, least and greatest value over the seeds that were evaluated there; steps that only some of the
    seeds reached are left out, since a mean over other seeds would jump."""
    values: dict[int, list[float]] = defaultdict(list)
    for curve in curves:
        for step, value in zip(curve.steps, curve.values, strict=True):
            values[step].append(value)
    most = max(map(len, values.values()))
    steps = sorted(step for step, held in values.items() if len(held) == most)
    table = np.array([values[step] for step in steps])
    return np.array(steps), table.mean(axis=1), table.min(axis=1), table.max(axis=1)


def _curve(axes: Axes, curves: Sequence[LearningCurve], look: Look) -> tuple[np.ndarray, np.ndarray]:
    steps, mean, low, high = by_step(curves)
    axes.fill_between(steps, low, high, color=look.color, alpha=0.15, linewidth=0, zorder=2)
    axes.plot(steps, mean, color=look.color, lw=1.6, ls=look.dash, zorder=3)
    return steps, mean


def _limits(axes: Axes, rows: Sequence[VariantAnalysis], means: dict[str, tuple[np.ndarray, np.ndarray]]) -> None:
    """The second half of training in full; the steep beginning as far as it fits."""
    core = [float(value) for _, mean in means.values() for value in mean[len(mean) // 2 :]]
    wide = [float(value) for _, mean in means.values() for value in mean]
    wide += [value for row in rows for curve in row.curves for value in curve.values]
    axes.set_ylim(*window(core, wide, reach=1.0))
    last = max(float(steps[-1]) for steps, _ in means.values())
    axes.set_xlim(0, last * 1.01)


def _names(
    axes: Axes,
    rows: Sequence[VariantAnalysis],
    means: dict[str, tuple[np.ndarray, np.ndarray]],
    style: dict[str, Look],
) -> None:
    """Each name at the end of its line, moved apart where lines end together."""
    low, high = axes.get_ylim()
    right = axes.get_xlim()[1]
    ends = [float(np.clip(means[row.name][1][-1], low, high)) for row in rows]
    places = spread_out(ends, (high - low) * 0.065, low, high)
    for row, end, place in zip(rows, ends, places, strict=True):
        color = style[row.name].color
        axes.plot(
            [right, right * 1.025, right * 1.04], [end, place, place], color=color, lw=0.8, clip_on=False, zorder=3
        )
        axes.text(right * 1.05, place, name_of(row, 22), va="center", clip_on=False)
    steps = means[rows[0].name][0]
    if len({len(curve.steps) for row in rows for curve in row.curves}) > 1 and steps.size:
        axes.text(
            0, 1.02, "drawn as far as all seeds of a variant went", transform=axes.transAxes, color=MUTED, fontsize=7.5
        )
