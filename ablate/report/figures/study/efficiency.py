"""Data efficiency: score against the share of the training data, and the gain over the baseline at the same share.

Whiskers are 95 % t intervals over seeds: of the score itself at the left, paired by seed at the right. A gain that
falls along the curve is worth least where data are plenty.
"""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from ablate.analysis.outcome import EfficiencyCurve, Interval, StudyAnalysis
from ablate.report.figures.style import BASELINE, Look, figure, grid, looks, name_of, window

MOST = 8


def draw(analysis: StudyAnalysis) -> Figure | None:
    """None where nothing was trained on two shares of the data."""
    curves = analysis.efficiency[:MOST]
    if not curves:
        return None
    paired = [curve for curve in curves if any(point.gain is not None for point in curve.points)]
    drawing = figure(3.2, width=7.2 if paired else 4.4)
    style = looks(analysis)
    _scores(drawing.add_subplot(1, 2 if paired else 1, 1), curves, style, analysis.unit)
    if paired:
        _gains(drawing.add_subplot(1, 2, 2), paired, style, analysis)
    handles, labels = drawing.axes[0].get_legend_handles_labels()
    drawing.legend(handles, labels, loc="outside lower center", ncols=min(len(labels), 5), handlelength=1.6)
    return drawing


def _scores(axes: Axes, curves: Sequence[EfficiencyCurve], style: dict[str, Look], unit: str) -> None:
    means = [point.score.mean for curve in curves for point in curve.points]
    wide = [bound for curve in curves for point in curve.points for bound in _ends(point.score.interval)]
    axes.set_ylim(*window(means, wide, reach=0.5))
    for curve in curves:
        points = [(point.fraction, point.score.mean, point.score.interval) for point in curve.points]
        _line(axes, points, style[curve.name], name_of(curve.name))
    axes.set_ylabel(unit)
    _share_axis(axes, curves)


def _gains(axes: Axes, curves: Sequence[EfficiencyCurve], style: dict[str, Look], analysis: StudyAnalysis) -> None:
    gains = [point.gain for curve in curves for point in curve.points if point.gain is not None]
    relative = all(gain.relative is not None for gain in gains)
    drawn: list[tuple[EfficiencyCurve, list[tuple[float, float, Interval | None]]]] = []
    for curve in curves:
        points = []
        for point in curve.points:
            if point.gain is None:
                continue
            interval = point.gain.relative_interval if relative else point.gain.interval
            value = (point.gain.relative or 0.0) if relative else point.gain.mean
            points.append((point.fraction, *_scaled(value, interval, 100.0 if relative else 1.0)))
        drawn.append((curve, points))
    means = [value for _, points in drawn for _, value, _ in points]
    wide = [bound for _, points in drawn for _, _, interval in points for bound in _ends(interval)]
    axes.set_ylim(*window([0.0, *means], wide, reach=0.8))
    axes.axhline(0, color=BASELINE, lw=1.4, zorder=1)
    for curve, points in drawn:
        _line(axes, points, style[curve.name], name_of(curve.name))
    axes.set_ylabel("gain at the same share" + (", %" if relative else f", {analysis.unit}"))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: "0" if abs(value) < 1e-12 else f"{value:+g}"))
    _share_axis(axes, curves)


def _scaled(value: float, interval: Interval | None, scale: float) -> tuple[float, Interval | None]:
    return scale * value, None if interval is None else Interval(scale * interval.low, scale * interval.high)


def _ends(interval: Interval | None) -> tuple[float, ...]:
    return () if interval is None else (interval.low, interval.high)


def _line(axes: Axes, points: Sequence[tuple[float, float, Interval | None]], look: Look, label: str) -> None:
    for share, _, interval in points:
        if interval is not None:
            axes.plot([share, share], [interval.low, interval.high], color=look.color, lw=0.9, alpha=0.6, zorder=2)
    axes.plot(
        [share for share, _, _ in points], [value for _, value, _ in points], color=look.color, marker=look.marker,
        ms=look.size - 1, lw=1.5, ls=look.dash, label=label, zorder=3,
    )  # fmt: skip


def _share_axis(axes: Axes, curves: Sequence[EfficiencyCurve]) -> None:
    shares = sorted({point.fraction for curve in curves for point in curve.points})
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(FixedLocator(shares))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{100 * value:g} %"))
    axes.set_xlabel("share of the training data")
    grid(axes)
