"""Repeats of one stimulus: rasters of data and model, and under them the average response and every main rate."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ablate.analysis.best import main_rows
from ablate.analysis.outcome import RepeatedPicture, StudyAnalysis
from ablate.report.figures.style import BASELINE, INK, MUTED, figure, grid, looks, name_of

DRAWN_ROWS = 30
SMALL = 4
"""Points squared of a spike's mark."""


def draw(analysis: StudyAnalysis) -> Figure | None:
    """None where nothing repeats."""
    pictures = () if analysis.repeats is None else analysis.repeats.pictures
    if not pictures:
        return None
    drawing = figure(3.0 * len(pictures) + 0.4)
    panels = drawing.subplots(2 * len(pictures), 1, sharex=False, height_ratios=[1, 1] * len(pictures))
    for index, picture in enumerate(pictures):
        upper, lower = panels[2 * index], panels[2 * index + 1]
        _raster(upper, picture, analysis.baseline_name)
        _rates(lower, picture, analysis)
        share = f"{100 * picture.explainable:.1f} % of the variance explainable"
        upper.set_title(f"{name_of(picture.session, 20)} unit {picture.unit}, {share}")
        upper.tick_params(labelbottom=False)
    panels[-1].set_xlabel("seconds")
    handles, labels = panels[1].get_legend_handles_labels()
    drawing.legend(handles, labels, loc="outside lower center", ncols=min(len(labels), 4))
    return drawing


def _raster(axes: Axes, picture: RepeatedPicture, baseline: str) -> None:
    """Showings from the top; beneath them rows drawn from the baseline's rate."""
    rate = dict(picture.predicted).get(baseline)
    data = [np.array(row, int) for row in picture.raster[:DRAWN_ROWS]]
    rows = [(data, INK, "data")]
    if rate is not None:
        drawn = np.random.default_rng(0).poisson(rate, (len(data), len(rate)))
        rows.append(([np.repeat(np.arange(len(rate)), row) for row in drawn], BASELINE, "model"))
    top = 0
    ticks, names = [], []
    for showings, color, name in rows:
        for row, bins in enumerate(showings):
            axes.scatter(
                bins / picture.bin_rate_hz, np.full(len(bins), top + row), s=SMALL, c=color, marker="|", lw=0.8
            )
        ticks.append(top + (len(showings) - 1) / 2)
        names.append(name)
        top += len(showings) + 1
    axes.set_yticks(ticks, names)
    axes.set_ylim(top - 1, -1)
    axes.set_xlim(0, len(picture.average) / picture.bin_rate_hz)


def _rates(axes: Axes, picture: RepeatedPicture, analysis: StudyAnalysis) -> None:
    seconds = np.arange(len(picture.average)) / picture.bin_rate_hz
    axes.fill_between(
        seconds, picture.bin_rate_hz * np.array(picture.average), color=MUTED, alpha=0.35, lw=0, step="mid",
        label="average over showings",
    )  # fmt: skip
    style = looks(analysis)
    shown = [row.name for row in main_rows(analysis)]
    for name, rate in picture.predicted:
        if name in shown:
            look = style[name]
            axes.plot(
                seconds, picture.bin_rate_hz * np.array(rate), color=look.color, ls=look.dash, lw=1.3,
                label=name_of(name),
            )  # fmt: skip
    axes.set_ylabel("rate, Hz")
    axes.set_ylim(bottom=0)
    axes.set_xlim(0, len(picture.average) / picture.bin_rate_hz)
    grid(axes, "y")
