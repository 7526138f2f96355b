"""Numbers as they were rated against what was predicted of each: baseline and winner, a row a target.

One seed's test split (the first that is scored), of all folds. A model that says the same of every trial draws a flat
line at the mean; what is told right lies on the diagonal.
"""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ablate.analysis.best import best_row
from ablate.analysis.outcome import NumberPoints, StudyAnalysis
from ablate.analysis.words import number
from ablate.report.figures.style import INK, Look, figure, grid, looks, name_of

MOST_TARGETS = 6
MOST_BARS = 150
"""Points with their predicted deviation; of more, the bars would hide each other."""


def draw(analysis: StudyAnalysis) -> Figure | None:
    """None where no numbers are learned."""
    rows = [row for row in (analysis.row(analysis.baseline_name), best_row(analysis)) if row is not None]
    points = {(one.variant, one.target): one for one in analysis.said if one.value}
    names = [row.name for row in rows if any(variant == row.name for variant, _ in points)]
    targets = list(dict.fromkeys(target for variant, target in points if variant in names))[:MOST_TARGETS]
    if not targets:
        return None
    drawing = figure(0.4 + 2.6 * len(targets), width=3.2 * len(names) + 0.6)
    panels = drawing.subplots(len(targets), len(names), squeeze=False)
    style = looks(analysis)
    for line, target in zip(panels, targets, strict=True):
        shown = [points.get((name, target)) for name in names]
        limits = _limits([one for one in shown if one is not None])
        for axes, one, name in zip(line, shown, names, strict=True):
            if one is None:
                axes.set_axis_off()
                continue
            _panel(axes, one, style[name], limits)
            axes.set_title(f"{name_of(name, 24)}: {name_of(target, 16)}\n{_agreement(analysis, one)}", fontsize=7.5)
    drawing.supxlabel("as rated", fontsize=8.5)
    drawing.supylabel("predicted mean, ± predicted sd", fontsize=8.5)
    return drawing


def _agreement(analysis: StudyAnalysis, points: NumberPoints) -> str:
    """As the table says it, over all seeds and labels."""
    numbers = analysis.row(points.variant).numbers
    fit = next((one for one in numbers.targets if one.name == points.target), None) if numbers else None
    told = "" if fit is None else f"r {number(fit.correlation)}, CCC {number(fit.concordance)}"
    return told if points.of == len(points.value) else f"{told}; {len(points.value)} of {points.of} drawn"


def _limits(shown: list[NumberPoints]) -> tuple[float, float]:
    """The same on both axes and in all panels of a target."""
    values = np.concatenate([np.asarray(side) for one in shown for side in (one.value, one.mean)])
    low, high = float(values.min()), float(values.max())
    room = 0.06 * ((high - low) or 1.0)
    return low - room, high + room


def _panel(axes: Axes, points: NumberPoints, look: Look, limits: tuple[float, float]) -> None:
    axes.set_xlim(limits)
    axes.set_ylim(limits)
    axes.set_aspect("equal")
    axes.plot(limits, limits, color=INK, lw=0.8, zorder=1)
    few = len(points.value) <= MOST_BARS
    if few:
        low, high = (np.asarray(points.mean) + sign * np.asarray(points.sd) for sign in (-1, 1))
        axes.vlines(points.value, low, high, color=look.color, lw=0.5, alpha=0.35, zorder=2)
    axes.scatter(points.value, points.mean, s=12 if few else 6, color=look.color, alpha=0.8, linewidths=0, zorder=3)
    grid(axes)
