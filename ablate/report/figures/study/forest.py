"""Forest plot: each variant's gain with its three 95 % intervals, and what was expected of it.

Thick line: over seeds, paired (other trainings). Thin line beneath: hierarchical bootstrap over units nested in
sessions (other neurons). Dotted line above: bootstrap over blocks of time (other minutes). Grey box: the expected
range, written down before the first run.
"""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter

from ablate.analysis.outcome import Interval, StudyAnalysis, VariantAnalysis
from ablate.metric import metric_named
from ablate.report.columns import verdict_words
from ablate.report.figures.style import (
    BAND,
    INK,
    MUTED,
    PAPER,
    Dash,
    Look,
    figure,
    grid,
    is_relative,
    looks,
    name_of,
    window,
)

DOTTED: Dash = (0, (1, 1.2))
MOST_ROWS = 40
"""The best patches; a page of hundreds is read as a table. References and controls are always drawn."""


def draw(analysis: StudyAnalysis) -> Figure | None:
    """None while no variant has a gain."""
    rows = [row for row in analysis.rows if row.gain is not None and row.role != "baseline"]
    patches = [row for row in rows if row.role == "variant"]
    left_out = max(len(patches) - MOST_ROWS, 0)
    rows = patches[:MOST_ROWS] + [row for row in rows if row.role != "variant"]
    if not rows:
        return None
    relative = is_relative(rows)
    scale = 100.0 if relative else 1.0
    drawing = figure(1.35 + 0.34 * len(rows))
    axes = drawing.add_subplot()
    low, high = _limits(rows, relative, scale)
    axes.set_xlim(low, high)
    style = looks(analysis)
    for place, row in enumerate(rows):
        _row(axes, place, row, style[row.name], relative, scale)
    _frame(axes, rows)
    axes.set_xlabel(
        f"gain over {name_of(analysis.baseline_name)}"
        + (f" in % of its {analysis.unit}" if relative else f" in {analysis.unit}")
    )
    if left_out:
        axes.text(0, -0.02, f"and {left_out} more rows, in the table", transform=axes.transAxes, color=MUTED, va="top")
    _key(drawing, rows, relative, analysis)
    return drawing


def _value(row: VariantAnalysis, relative: bool) -> float:
    assert row.gain is not None
    return (row.gain.relative or 0.0) if relative else row.gain.mean


def _interval(row: VariantAnalysis, relative: bool) -> Interval | None:
    assert row.gain is not None
    return row.gain.relative_interval if relative else row.gain.interval


def _over_units(row: VariantAnalysis, relative: bool) -> Interval | None:
    assert row.gain is not None
    return row.gain.over_units_relative if relative else row.gain.over_units


def _over_time(row: VariantAnalysis, relative: bool) -> Interval | None:
    assert row.gain is not None
    return row.gain.over_time_relative if relative else row.gain.over_time


def _limits(rows: Sequence[VariantAnalysis], relative: bool, scale: float) -> tuple[float, float]:
    """All gains of patches in full; intervals and references as far as they do not squeeze these."""
    patches = [row for row in rows if row.role != "reference"] or list(rows)
    core = [0.0, *(scale * _value(row, relative) for row in patches)]
    if relative:
        core += [scale * bound for row in patches if row.prediction for bound in row.prediction.expected]
    wide = [scale * _value(row, relative) for row in rows]
    for row in rows:
        for interval in (_interval(row, relative), _over_units(row, relative), _over_time(row, relative)):
            wide += [scale * interval.low, scale * interval.high] if interval else []
    return window(core, wide)


def _row(axes: Axes, place: int, row: VariantAnalysis, look: Look, relative: bool, scale: float) -> None:
    if relative and row.prediction is not None:
        start, end = (scale * bound for bound in row.prediction.expected)
        span = axes.get_xlim()[1] - axes.get_xlim()[0]
        axes.barh(place, max(end - start, span / 200), left=start, height=0.62, color=BAND, linewidth=0, zorder=1)
    units = _over_units(row, relative)
    if units is not None:
        _whisker(axes, place + 0.24, units, look, scale, width=0.9)
    minutes = _over_time(row, relative)
    if minutes is not None:
        _whisker(axes, place - 0.24, minutes, look, scale, width=1.2, dash=DOTTED)
    seeds = _interval(row, relative)
    if seeds is not None:
        _whisker(axes, float(place), seeds, look, scale, width=2.2)
    _point(axes, place, scale * _value(row, relative), look, row.verdict in ("helps", "hurts", "reference"))


def _whisker(
    axes: Axes, place: float, interval: Interval, look: Look, scale: float, *, width: float, dash: Dash = "-"
) -> None:
    """An interval; an arrow where it leaves the picture."""
    low, high = axes.get_xlim()
    ends = [scale * interval.low, scale * interval.high]
    shown = [min(max(end, low), high) for end in ends]
    if shown[0] == shown[1]:
        return
    axes.plot(shown, [place, place], color=look.color, lw=width, ls=dash, solid_capstyle="butt", zorder=3)
    for end, bound, marker in ((ends[0], low, "<"), (ends[1], high, ">")):
        if (end < bound) if marker == "<" else (end > bound):
            axes.plot(bound, place, marker, color=look.color, ms=3 + width / 2, clip_on=False, zorder=4)


def _point(axes: Axes, place: int, value: float, look: Look, sure: bool) -> None:
    """Filled where the verdict is clear of noise, else hollow; outside the picture, an arrow and its value."""
    low, high = axes.get_xlim()
    if low <= value <= high:
        axes.plot(
            value,
            place,
            look.marker,
            ms=look.size,
            color=look.color,
            mfc=look.color if sure else PAPER,
            mew=1.3,
            zorder=5,
        )
        return
    left = value < low
    axes.plot(low if left else high, place, "<" if left else ">", color=look.color, ms=6, clip_on=False, zorder=5)
    axes.annotate(
        f"{value:+.1f}", (low if left else high, place), (8 if left else -8, 0), textcoords="offset points",
        ha="left" if left else "right", va="center", color=look.color, fontsize=7.5,
    )  # fmt: skip


def _frame(axes: Axes, rows: Sequence[VariantAnalysis]) -> None:
    """Names at the left, verdicts at the right, a rule between patches and the rest."""
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_yticks(range(len(rows)), [name_of(row) for row in rows])
    axes.tick_params(axis="y", length=0)
    axes.axvline(0, color=INK, lw=0.9, zorder=2)
    grid(axes, "x")
    axes.spines["left"].set_visible(False)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: "0" if abs(value) < 1e-12 else f"{value:+g}"))
    for place, row in enumerate(rows):
        clear = row.verdict in ("helps", "hurts")
        axes.text(
            1.02, place, verdict_words(row), transform=axes.get_yaxis_transform(), va="center",
            color=INK if clear else MUTED, fontweight="bold" if row.verdict == "helps" else "normal",
        )  # fmt: skip
    roles = [row.role in ("reference", "control") for row in rows]
    for place in range(1, len(rows)):
        if roles[place] and not roles[place - 1]:
            axes.axhline(place - 0.5, color=MUTED, lw=0.6, ls=(0, (3, 3)))


def _key(drawing: Figure, rows: Sequence[VariantAnalysis], relative: bool, analysis: StudyAnalysis) -> None:
    """What the two lines and the box are, above the plot; only what is there."""
    handles: list[Line2D | Patch] = []
    gains = [row.gain for row in rows if row.gain is not None]
    if any(gain.interval for gain in gains):
        handles.append(Line2D([], [], color=INK, lw=2.2, label=f"95 % over {analysis.replicate}s, paired"))
    if any(gain.over_units for gain in gains):
        label = metric_named(analysis.metric).worded("95 % over {noun}s and {group}s")
        handles.append(Line2D([], [], color=INK, lw=0.9, label=label))
    if any(gain.over_time for gain in gains):
        handles.append(Line2D([], [], color=INK, lw=1.2, ls=DOTTED, label="95 % over blocks of time"))
    if relative and any(row.prediction for row in rows):
        handles.append(Patch(color=BAND, label="expected"))
    handles.append(
        Line2D([], [], color=INK, marker="o", mfc=PAPER, mew=1.3, ls="", ms=6, label="hollow: not clear of noise")
    )
    drawing.legend(handles=handles, loc="outside upper left", ncols=2, handlelength=1.4, columnspacing=1.4)
