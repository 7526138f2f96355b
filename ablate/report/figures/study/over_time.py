"""The score over the time of the test split: baseline, references and the best patch, block by block.

A model that loses its stimulus halfway, for a dropped frame, shows as a step here; a mean over the test hides it.
"""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from ablate.analysis.best import drawn_rows
from ablate.analysis.outcome import StudyAnalysis
from ablate.report.figures.style import MUTED, figure, grid, looks, name_of, window

MOST = 1


def draw(analysis: StudyAnalysis) -> Figure | None:
    """None where no run kept blocks of time."""
    rows = [row for row in drawn_rows(analysis, MOST) if row.times and row.role != "control"]
    if not rows:
        return None
    drawing = figure(2.9)
    axes = drawing.add_subplot()
    style = looks(analysis)
    for row in rows:
        look = style[row.name]
        share = [100 * (block + 0.5) / len(row.times) for block in range(len(row.times))]
        axes.plot(
            share,
            row.times,
            color=look.color,
            ls=look.dash,
            lw=1.5,
            marker=look.marker,
            ms=0.5 * look.size,
            label=name_of(row),
        )
    core = [value for row in rows if row.role != "reference" for value in row.times]
    _limits(axes, core, [value for row in rows for value in row.times])
    axes.set_xlabel("share of the test split's time, %")
    axes.set_ylabel(analysis.unit)
    grid(axes)
    axes.legend(loc="center left", bbox_to_anchor=(1.01, 0.5))
    return drawing


def _limits(axes: Axes, core: list[float], wide: list[float]) -> None:
    axes.set_ylim(*window(core or wide, wide))
    axes.set_xlim(0, 100)
    if axes.get_ylim()[0] < 0:
        axes.axhline(0, color=MUTED, lw=0.7, zorder=1)
