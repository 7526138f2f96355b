"""Pictures of a fitted model, drawn from the numbers that `ablate show` collected: no torch here.

Where the units read on the stimulus; the frontend's temporal kernels; predicted rates of three units; attention.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse

from ablate.report.figures.style import BASELINE, DASHES, INK, MUTED, OKABE_ITO, figure, grid, name_of, styled
from ablate.result.picture import AttentionPicture, ModelPicture, ReadoutPicture, UnitPicture

MOST_PANELS = 6
ROWS = 3
STACKED = 5
"""Spikes of one bin that have a tick each."""
TICKS = 0.16
"""Share of the height that the ticks take."""
SCORES = LinearSegmentedColormap.from_list("score", ["#f3e3b0", "#56b4e9", "#0072b2"])
WEIGHTS = LinearSegmentedColormap.from_list("weight", ["#f4f4f2", "#56b4e9", "#0072b2", "#01263d"])


@dataclass(frozen=True)
class ModelDrawing:
    """One kind of picture of a model."""

    name: str
    title: str
    caption: str
    draw: Callable[[ModelPicture], Figure | None]


def drawings(picture: ModelPicture) -> Iterator[tuple[ModelDrawing, Figure]]:
    """The pictures that the model has numbers for."""
    for drawing in CATALOGUE:
        with styled():
            made = drawing.draw(picture)
        if made is not None:
            yield drawing, made


def draw_readouts(picture: ModelPicture) -> Figure | None:
    """Each unit's place on the stimulus with one standard deviation around it, coloured by its score."""
    shown = picture.readouts[:MOST_PANELS]
    if not shown:
        return None
    columns = min(len(shown), ROWS)
    rows = -(-len(shown) // columns)
    drawing = figure(2.45 * rows + 0.3, width=2.3 * columns + 0.7)
    scores = [value for readout in shown for value in readout.scores if value is not None]
    low, high = (min(scores), max(scores)) if scores else (0.0, 1.0)
    for index, readout in enumerate(shown):
        axes = drawing.add_subplot(rows, columns, index + 1)
        points = _readout(axes, readout, low, high)
        axes.set_title(name_of(readout.session, 20))
    drawing.supxlabel("column, -1 left to 1 right", fontsize=8.5)
    drawing.supylabel("row, -1 top to 1 bottom", fontsize=8.5)
    if scores:
        bar = drawing.colorbar(points, ax=drawing.axes, shrink=0.7, pad=0.02)
        bar.set_label(f"test {picture.unit}")
        bar.outline.set_visible(False)  # type: ignore[operator]
    return drawing


def _readout(axes: Axes, readout: ReadoutPicture, low: float, high: float) -> PathCollection:
    for row, col, row_std, col_std, angle in zip(
        readout.rows, readout.cols, readout.row_std, readout.col_std, readout.angle, strict=True
    ):
        turned = float(np.degrees(angle))
        axes.add_patch(
            Ellipse((col, row), 2 * col_std, 2 * row_std, angle=-turned, fill=False, ec=MUTED, lw=0.5, alpha=0.6)
        )
    values = [low if value is None else value for value in readout.scores] or [high] * len(readout.rows)
    points = axes.scatter(
        readout.cols, readout.rows, c=values, cmap=SCORES, vmin=low, vmax=high, s=18, lw=0.4, ec=INK, zorder=3
    )
    axes.set_xlim(-1.05, 1.05)
    axes.set_ylim(1.05, -1.05)  # row -1 is the top
    axes.set_aspect("equal")
    axes.set_xticks([-1, 0, 1])
    axes.set_yticks([-1, 0, 1])
    grid(axes)
    return points


def draw_kernels(picture: ModelPicture) -> Figure | None:
    """The frontend's channels over milliseconds into the past."""
    if picture.kernels is None:
        return None
    drawing = figure(2.5, width=4.6)
    axes = drawing.add_subplot()
    weights = np.array(picture.kernels.weights)
    past = np.arange(weights.shape[1]) * 1000 / picture.kernels.bin_rate_hz
    axes.axhline(0, color=BASELINE, lw=1)
    for channel, kernel in enumerate(weights):
        cycle, color = divmod(channel, len(OKABE_ITO))
        axes.plot(
            past, kernel, color=OKABE_ITO[color], ls=DASHES[cycle % len(DASHES)], marker=".", ms=4, lw=1.3,
            label=f"channel {channel + 1}",
        )  # fmt: skip
    axes.set_xlabel("milliseconds before the bin")
    axes.set_ylabel("weight")
    grid(axes)
    axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5), ncols=1 + len(weights) // 12)
    return drawing


def draw_units(picture: ModelPicture) -> Figure | None:
    """Spikes, predicted and, where known, true rates of the best, the median and the worst unit."""
    if not picture.units:
        return None
    drawing = figure(1.45 * len(picture.units) + 0.5)
    for index, unit in enumerate(picture.units):
        axes = drawing.add_subplot(len(picture.units), 1, index + 1)
        _unit(axes, unit, picture.unit)
        if index == len(picture.units) - 1:
            axes.set_xlabel("seconds")
        else:
            axes.tick_params(labelbottom=False)
    handles, labels = drawing.axes[0].get_legend_handles_labels()
    drawing.legend(handles, labels, loc="outside upper right", ncols=3, handlelength=1.6)
    drawing.supylabel("rate, Hz", fontsize=8.5)
    return drawing


def _unit(axes: Axes, unit: UnitPicture, score_unit: str) -> None:
    seconds = np.arange(len(unit.predicted)) / unit.bin_rate_hz
    spikes = np.array(unit.spikes)
    predicted, true = (unit.bin_rate_hz * np.array(rates or (0.0,)) for rates in (unit.predicted, unit.true))
    if unit.true is not None:
        axes.plot(seconds, true, color=MUTED, lw=1.6, alpha=0.8, label="true rate")
    axes.plot(seconds, predicted, color=OKABE_ITO[4], lw=1.3, label="predicted rate")
    most = int(min(max(spikes.max(), 1), STACKED))
    tick = TICKS / most
    top = max(predicted.max(), true.max(), 1e-3) / (1 - TICKS - 0.03)
    axes.set_ylim(0, top)
    axes.set_xlim(0, seconds[-1])
    for spike in range(most):  # a bin of three spikes has three ticks, one beneath the other
        upper = top * (1 - spike * tick)
        axes.vlines(
            seconds[spikes > spike], upper - 0.8 * tick * top, upper, color=INK, lw=0.7,
            label="spikes, a tick each" if spike == 0 else "_nolegend_",
        )  # fmt: skip
    axes.set_title(
        f"{unit.rank}: {name_of(unit.session, 16)} unit {unit.unit}, {unit.score:.3f} {score_unit}", fontsize=8.5
    )
    grid(axes, "y")


def draw_attention(picture: ModelPicture) -> Figure | None:
    """Where attention goes: over places, or from each step to the steps before it."""
    shown = picture.attention[:MOST_PANELS]
    if not shown:
        return None
    columns = min(len(shown), ROWS)
    rows = -(-len(shown) // columns)
    drawing = figure(2.3 * rows, width=2.4 * columns)
    for index, layer in enumerate(shown):
        _attention(drawing, drawing.add_subplot(rows, columns, index + 1), layer)
    return drawing


def _attention(drawing: Figure, axes: Axes, layer: AttentionPicture) -> None:
    values = np.array(layer.values)
    values = np.where(values == 0, np.nan, values)  # what may not be seen stays blank
    space = layer.kind == "space"
    if not space:  # a step that sees few gives each much: times their number, even attention is 1 in every row
        values = values * np.isfinite(values).sum(axis=1, keepdims=True)
    low, high = np.nanquantile(values, [0.01, 0.99])
    image = axes.imshow(values, cmap=WEIGHTS, vmin=min(low, 1.0), vmax=max(high, 1.0), interpolation="nearest")
    axes.set_title(name_of(layer.name, 24), fontsize=8)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.set_xlabel("column" if space else "attended step (newest right)")
    axes.set_ylabel("row" if space else "attending step")
    beyond = ((values < low).any(), (values > high).any())
    extend = {(True, True): "both", (True, False): "min", (False, True): "max"}.get(beyond, "neither")
    bar = drawing.colorbar(image, ax=axes, shrink=0.75, pad=0.03, extend=extend)
    bar.outline.set_visible(False)  # type: ignore[operator]
    bar.ax.tick_params(labelsize=7)
    bar.set_label("times an even share", fontsize=7)


CATALOGUE = (
    ModelDrawing(
        "readouts",
        "Where the units read",
        "Each point is a unit's place on the stimulus (-1 to 1, row -1 at the top), its ellipse one standard deviation "
        "of the readout, its colour the unit's test score.",
        draw_readouts,
    ),
    ModelDrawing(
        "kernels",
        "Temporal kernels of the frontend",
        "Response to one bright frame, as the weight that a bin gives to the frames before it.",
        draw_kernels,
    ),
    ModelDrawing(
        "rates",
        "Predicted rates",
        "The best, the median and the worst unit over consecutive test bins; each tick is a spike.",
        draw_units,
    ),
    ModelDrawing(
        "attention",
        "Attention",
        "Means over test windows and heads, times the number of places or of steps that may be seen, so that 1 is "
        "even. Over places: attention received. Over steps: from each step (row) to each it may see (column). The "
        "scale leaves out the outer 1 %.",
        draw_attention,
    ),
)
