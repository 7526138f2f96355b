"""The ladder as a waterfall: what each further patch added, from the baseline towards the reference.

A bar spans from the rung before to this one; its whisker is the 95 % paired t interval of the step. The line is the
reference; the brackets are what was expected of each rung as a whole.
"""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter

from ablate.analysis.outcome import Gain, Rung, StudyAnalysis
from ablate.analysis.words import signed
from ablate.report.figures.style import (
    BASELINE,
    INK,
    MUTED,
    Look,
    figure,
    grid,
    looks,
    name_of,
    window,
)

MOST_LADDERS = 3


def draw(analysis: StudyAnalysis) -> Figure | None:
    """None where no ladder has a rung."""
    ladders = [ladder for ladder in analysis.attribution.ladders if ladder][:MOST_LADDERS]
    if not ladders:
        return None
    relative = all(rung.gain.relative is not None for ladder in ladders for rung in ladder)
    drawing = figure(3.1 * len(ladders))
    for index, ladder in enumerate(ladders):
        _ladder(drawing.add_subplot(len(ladders), 1, index + 1), analysis, ladder, relative)
    return drawing


def _size(gain: Gain, relative: bool) -> float:
    return 100 * (gain.relative or 0.0) if relative else gain.mean


def _half_width(gain: Gain, relative: bool) -> float | None:
    interval = gain.relative_interval if relative else gain.interval
    return None if interval is None else (100.0 if relative else 1.0) * (interval.high - interval.low) / 2


def _ladder(axes: Axes, analysis: StudyAnalysis, ladder: Sequence[Rung], relative: bool) -> None:
    style = looks(analysis)
    tops = [_size(rung.gain, relative) for rung in ladder]
    target = _target(analysis, relative)
    expected = {index: analysis.row(rung.variant).prediction for index, rung in enumerate(ladder)} if relative else {}
    wide = [100 * bound for found in expected.values() if found for bound in found.expected]
    for rung, top in zip(ladder, tops, strict=True):
        half = _half_width(rung.step, relative) or 0.0
        wide += [top - half, top + half]
    low, high = window([0.0, *tops, *([] if target is None else [target])], wide, reach=0.8, pad=0.14)
    axes.set_ylim(low, high)
    for index, rung in enumerate(ladder):
        before = tops[index - 1] if index else 0.0
        _bar(axes, index + 1, before, tops[index], rung, style[rung.variant], relative)
        prediction = expected.get(index)
        if prediction is not None:
            _bracket(axes, index + 1, *(100 * bound for bound in prediction.expected))
    _frame(axes, analysis, ladder, target, relative)


def _target(analysis: StudyAnalysis, relative: bool) -> float | None:
    if analysis.target is None:
        return None
    gain = analysis.row(analysis.target).gain
    return None if gain is None else _size(gain, relative)


def _bar(axes: Axes, place: int, before: float, after: float, rung: Rung, look: Look, relative: bool) -> None:
    axes.bar(place, after - before, bottom=before, width=0.5, color=look.color, linewidth=0, zorder=2)
    axes.plot([place - 0.75, place + 0.25], [before, before], color=MUTED, lw=0.7, zorder=1)
    half = _half_width(rung.step, relative)
    top = max(before, after)
    if half is not None:
        axes.errorbar(place, after, yerr=half, color=INK, lw=1, capsize=2.5, zorder=4)
        top = max(top, min(after + half, axes.get_ylim()[1]))
    text = f"{signed(after - before, 1)} %" if relative else signed(after - before)
    axes.annotate(
        text, (place, top), (0, 3), textcoords="offset points", ha="center", va="bottom", color=INK, fontsize=8
    )


def _bracket(axes: Axes, place: int, low: float, high: float) -> None:
    """The expected range, at the bar's right."""
    x, tick = place + 0.36, 0.05
    axes.plot([x - tick, x, x, x - tick], [low, low, high, high], color=MUTED, lw=1.1, zorder=3)


def _frame(axes: Axes, analysis: StudyAnalysis, ladder: Sequence[Rung], target: float | None, relative: bool) -> None:
    count = len(ladder)
    axes.axhline(0, color=BASELINE, lw=1.6, zorder=1)
    if target is not None and analysis.target is not None:
        axes.axhline(target, color=INK, lw=1.1, ls=(0, (5, 3)), zorder=1)
        axes.annotate(  # above the baseline's column, which holds no bar
            f"{name_of(analysis.target)} (reference)", (-0.46, target), (0, 3), textcoords="offset points",
            va="bottom", fontsize=8,
        )  # fmt: skip
    axes.set_xlim(-0.5, count + 0.62)
    labels = [name_of(analysis.baseline_name, 18), *(_label(ladder, index) for index in range(count))]
    axes.set_xticks(range(count + 1), labels)
    axes.tick_params(axis="x", length=0)
    grid(axes, "y")
    axes.set_ylabel("gain over the baseline" + (", %" if relative else f", {analysis.unit}"))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: "0" if abs(value) < 1e-12 else f"{value:+g}"))
    if any(analysis.row(rung.variant).prediction for rung in ladder) and relative:
        axes.plot([], [], color=MUTED, lw=1.1, label="bracket: expected of the rung")
    axes.errorbar([], [], yerr=[], color=INK, lw=1, capsize=2.5, label="95 % of the step (paired t over seeds)")
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1.0), ncols=2, borderaxespad=0.2)


def _label(ladder: Sequence[Rung], index: int) -> str:
    """`+ p2` where the rung is the one before and one patch more."""
    name = ladder[index].variant
    before = ladder[index - 1].variant if index else ""
    added = name.removeprefix(f"{before}+") if index else name
    return f"+ {name_of(added, 18)}"
