"""Score against what it costs: parameters, FLOPs, seconds of training. The stepped line is the Pareto front.

Up and to the left is better. Whether a difference in height is real is shown by the forest plot, which pairs by seed;
here a variant's height is the mean of its own seeds.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, MaxNLocator

from ablate.analysis.outcome import CostSummary, StudyAnalysis, VariantAnalysis
from ablate.analysis.words import count
from ablate.report.figures.style import INK, MUTED, PAPER, Look, figure, grid, log_axis, looks, name_of, window

LABELLED = 14
"""The rows that the legend names, in the order of the table; the others are dots."""
LOG_FROM = 4.0
"""Costs further apart than this are drawn on a log axis."""


@dataclass(frozen=True)
class Axis:
    """One way to count the cost."""

    title: str
    cost: Callable[[CostSummary], float | None]


AXES = (
    Axis("parameters", lambda cost: cost.total_parameters),
    Axis("FLOPs of a forward pass", lambda cost: cost.flops),
    Axis("seconds of training", lambda cost: cost.seconds),
)


def draw(analysis: StudyAnalysis) -> Figure | None:
    """None where fewer than two scored rows have a cost."""
    rows = [row for row in analysis.rows if row.score is not None and row.verdict != "invalid"]
    shown = [axis for axis in AXES if sum(axis.cost(row.cost) is not None for row in rows) > 1]
    if len(rows) < 2 or not shown:
        return None
    drawing = figure(2.9 + 0.17 * (min(len(rows), LABELLED) // 4))
    style = looks(analysis)
    first: Axes | None = None
    for index, axis in enumerate(shown):
        axes = drawing.add_subplot(1, len(shown), index + 1, sharey=first)
        _panel(axes, axis, rows, style, analysis)
        if first is None:
            axes.set_ylabel(analysis.unit)
            first = axes
        else:
            axes.tick_params(labelleft=False)
    _legend(drawing, rows, style)
    return drawing


def _panel(
    axes: Axes, axis: Axis, rows: Sequence[VariantAnalysis], style: dict[str, Look], analysis: StudyAnalysis
) -> None:
    low, high = _heights(rows, analysis)
    axes.set_ylim(low, high)
    places = [(float(cost), row) for row in rows if (cost := axis.cost(row.cost)) is not None and cost > 0]
    costs = [cost for cost, _ in places]
    axes.set_xlabel(axis.title)
    grid(axes)
    if not costs:
        return
    if max(costs) > LOG_FROM * min(costs):
        ratio = (max(costs) / min(costs)) ** 0.08
        axes.set_xlim(min(costs) / ratio, max(costs) * ratio)
        log_axis(axes)
    else:
        axes.set_xlim(*window(costs, pad=0.12))
        axes.xaxis.set_major_locator(MaxNLocator(4))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: count(round(value, 6))))
    _front(axes, [(cost, row.score.mean) for cost, row in places if row.score is not None])
    for index, (cost, row) in reversed(list(enumerate(places))):
        _point(axes, cost, row, style[row.name], labelled=index < LABELLED or row.role != "variant")


def _heights(rows: Sequence[VariantAnalysis], analysis: StudyAnalysis) -> tuple[float, float]:
    """All patches, controls and the baseline; references as far as they do not squeeze these."""
    core = [row.score.mean for row in rows if row.role != "reference" and row.score is not None]
    wide = [row.score.mean for row in rows if row.score is not None]
    if analysis.target is not None and (target := analysis.row(analysis.target).score) is not None:
        core.append(target.mean)
    return window(core or wide, wide)


def _front(axes: Axes, points: Sequence[tuple[float, float]]) -> None:
    """The best score that each cost can buy."""
    best, front = float("-inf"), []
    for cost, score in sorted(points, key=lambda point: (point[0], -point[1])):
        if score > best:
            best = score
            front.append((cost, score))
    front.append((axes.get_xlim()[1], best))
    axes.step(*zip(*front, strict=True), where="post", color=MUTED, lw=0.9, zorder=1)


def _point(axes: Axes, cost: float, row: VariantAnalysis, look: Look, *, labelled: bool) -> None:
    assert row.score is not None
    low, high = axes.get_ylim()
    if not labelled:
        axes.plot(cost, row.score.mean, ".", color=MUTED, ms=3, zorder=2)
    elif low <= row.score.mean <= high:
        face = look.color if row.verdict != "no evidence" else PAPER
        axes.plot(cost, row.score.mean, look.marker, color=look.color, mfc=face, ms=look.size, mew=1.3, zorder=3)
    else:
        below = row.score.mean < low
        axes.plot(cost, low if below else high, "v" if below else "^", color=look.color, ms=5, clip_on=False, zorder=3)
        axes.annotate(
            f"{name_of(row, 10)} {row.score.mean:.2f}", (cost, low if below else high), (0, 6 if below else -6),
            textcoords="offset points", ha="center", va="bottom" if below else "top", fontsize=7, color=INK,
        )  # fmt: skip


def _legend(drawing: Figure, rows: Sequence[VariantAnalysis], style: dict[str, Look]) -> None:
    shown = [row for index, row in enumerate(rows) if index < LABELLED or row.role != "variant"]
    handles = [
        Line2D([], [], color=look.color, marker=look.marker, ms=look.size, mew=1.3, ls="", label=name_of(row, 20),
               mfc=look.color if row.verdict != "no evidence" else PAPER)
        for row in shown
        if (look := style[row.name])
    ]  # fmt: skip
    drawing.legend(
        handles=handles, loc="outside lower center", ncols=min(len(handles), 5), handlelength=1.2, columnspacing=1.4
    )
