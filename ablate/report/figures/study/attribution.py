"""Who gained what in combination: each patch alone against added last, and its Shapley value.

A patch that is worth much alone and little when added last shares its effect with others. The Shapley value is the
mean over all orders in which the patches could be added; together they sum to the gain of all at once.
"""

from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter

from ablate.analysis.outcome import Gain, StudyAnalysis
from ablate.report.figures.style import INK, PAPER, Look, figure, grid, looks, name_of, window

MOST = 16
OFFSETS = {"alone": -0.2, "added last": 0.0, "Shapley value": 0.2}
MARKS = {"alone": "o", "added last": "s", "Shapley value": "D"}


def draw(analysis: StudyAnalysis) -> Figure | None:
    """None where no patch was run both alone and added last, and there is no full factorial."""
    found = _gathered(analysis)
    if not found:
        return None
    names = list(found)[:MOST]
    relative = all(gain.relative is not None for name in names for gain in found[name].values())
    drawing = figure(1.2 + 0.5 * len(names))
    axes = drawing.add_subplot()
    axes.set_xlim(*_limits([gain for name in names for gain in found[name].values()], relative))
    style = looks(analysis)
    for place, name in enumerate(names):
        for kind, gain in found[name].items():
            _mark(axes, place + OFFSETS[kind], kind, gain, style.get(name, Look(INK, "o")), relative)
    _frame(axes, names, {kind for name in names for kind in found[name]})
    axes.set_xlabel("gain, in % of the baseline" if relative else f"gain in {analysis.unit}")
    return drawing


def _gathered(analysis: StudyAnalysis) -> dict[str, dict[str, Gain]]:
    """Patch -> kind -> gain."""
    found: dict[str, dict[str, Gain]] = {}
    for pair in analysis.attribution.alone_or_last:
        found[pair.patch] = {"alone": pair.alone, "added last": pair.last}
    for share in analysis.attribution.shapley:
        found.setdefault(share.patch, {})["Shapley value"] = share.effect
    return found


def _ends(gain: Gain, relative: bool) -> tuple[float, float, float]:
    """Low end, value, high end."""
    interval = gain.relative_interval if relative else gain.interval
    scale = 100.0 if relative else 1.0
    value = scale * ((gain.relative or 0.0) if relative else gain.mean)
    return (value, value, value) if interval is None else (scale * interval.low, value, scale * interval.high)


def _limits(gains: Sequence[Gain], relative: bool) -> tuple[float, float]:
    ends = [_ends(gain, relative) for gain in gains]
    return window([0.0, *(value for _, value, _ in ends)], [end for low, _, high in ends for end in (low, high)])


def _mark(axes: Axes, place: float, kind: str, gain: Gain, look: Look, relative: bool) -> None:
    low, value, high = _ends(gain, relative)
    face = look.color if kind == "alone" else PAPER
    axes.plot([low, high], [place, place], color=look.color, lw=1.3, solid_capstyle="butt", zorder=2)
    axes.plot(value, place, MARKS[kind], color=look.color, mfc=face, ms=5, mew=1.2, zorder=3)


def _frame(axes: Axes, names: Sequence[str], kinds: set[str]) -> None:
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.set_yticks(range(len(names)), [name_of(name) for name in names])
    axes.tick_params(axis="y", length=0)
    axes.axvline(0, color=INK, lw=0.9, zorder=1)
    axes.spines["left"].set_visible(False)
    grid(axes, "x")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: "0" if abs(value) < 1e-12 else f"{value:+g}"))
    handles = [
        Line2D([], [], color=INK, marker=MARKS[kind], mfc=INK if kind == "alone" else PAPER, ms=5, lw=1.3, label=kind)
        for kind in OFFSETS
        if kind in kinds
    ]
    axes.legend(handles=handles, loc="lower left", bbox_to_anchor=(0, 1.0), ncols=3, borderaxespad=0.2)
