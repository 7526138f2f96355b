"""A recording at a glance: rates, filters, the quick GLM over time with its best shift, and the split as a bar."""

from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from ablate.disk.whole import write_bytes, writing
from ablate.errors import AblateError
from ablate.report.figures.style import BAND, BASELINE, INK, MUTED, OKABE_ITO, figure, grid, name_of, styled
from ablate.report.figures.write import KINDS, rendered
from ablate.result.measure.survey import SessionSurvey, Survey

MOST_SESSIONS = 6
MOST_KERNELS = 12
SPLITS = {"T": BAND, "v": OKABE_ITO[1], "t": OKABE_ITO[3], ".": "#ffffff"}


def write_survey(survey: Survey, path: Path) -> Path:
    """In the format of the file's ending. Raises AblateError for an ending that is none of svg, png, pdf."""
    kind = path.suffix.removeprefix(".").lower()
    if kind not in KINDS:
        raise AblateError(f"cannot write a plot as `{path.name}`", hint=f"end the name in {', '.join(KINDS)}")
    with writing(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
    with styled():
        drawing = draw(survey)
    write_bytes(path, rendered(drawing, kind))  # type: ignore[arg-type]
    return path


def draw(survey: Survey) -> Figure:
    """Four panels a session, side by side; the first sessions alone where there are many."""
    shown = survey.sessions[:MOST_SESSIONS]
    drawing = figure(2.9 * len(shown) + 0.3, width=9.5)
    for row, session in enumerate(shown):
        panels = [drawing.add_subplot(len(shown), 3, 3 * row + column + 1) for column in range(3)]
        _rates(panels[0], session)
        _kernels(panels[1], session)
        _time(panels[2], session)
    return drawing


def _rates(axes: Axes, session: SessionSurvey) -> None:
    """Every unit's rate over time, and their mean; the split beneath."""
    blocks = np.arange(len(session.rates_hz)) + 0.5
    share = 100 * blocks / len(blocks)
    for unit in session.units:
        axes.plot(share, unit.rates_hz, color=BASELINE, lw=0.6, alpha=0.6)
    axes.plot(share, session.rates_hz, color=INK, lw=1.6)
    axes.set_ylim(bottom=0)
    axes.set_xlim(0, 100)
    axes.set_ylabel("rate, Hz")
    axes.set_xlabel("share of the recording, %")
    letters = [list(SPLITS).index(letter) for letter in session.bar]
    bar = axes.inset_axes((0, 1.0, 1, 0.035))
    bar.imshow([letters], aspect="auto", cmap=ListedColormap(list(SPLITS.values())), vmin=0, vmax=3)
    bar.set_axis_off()
    axes.set_title(f"{name_of(session.name, 22)}: rates and split", pad=9)
    grid(axes)


def _kernels(axes: Axes, session: SessionSurvey) -> None:
    """Spike-triggered averages at each unit's best pixel, largest of most spikes first."""
    clear = sorted((unit for unit in session.units if unit.lag is not None), key=lambda unit: -unit.spikes)
    axes.axhline(0, color=MUTED, lw=0.7)
    for index, unit in enumerate(clear[:MOST_KERNELS]):
        past = 1000 * np.arange(len(unit.kernel)) / session.bin_rate_hz
        color = OKABE_ITO[index % len(OKABE_ITO)]
        axes.plot(past, unit.kernel, color=color, lw=1.1, marker=".", ms=3, label=f"unit {unit.unit}")
    axes.set_xlabel("milliseconds before the bin")
    axes.set_ylabel("STA, standard errors")
    shown = f"{min(len(clear), MOST_KERNELS)} of {len(session.units)} units"
    axes.set_title(f"spike-triggered averages ({shown})", pad=9)
    grid(axes)


def _time(axes: Axes, session: SessionSurvey) -> None:
    """Score without shift and at the best one; the shift as a number where it is not zero."""
    found = session.alignment
    axes.set_title("quick GLM over time", pad=9)
    if found is None:
        axes.text(0.5, 0.5, "no clear filter", ha="center", transform=axes.transAxes)
        return
    share = 100 * (np.arange(len(found.scores)) + 0.5) / len(found.scores)
    axes.plot(share, found.best, color=OKABE_ITO[1], lw=1.2, marker="o", ms=4, label="at the best shift")
    axes.plot(share, found.scores, color=INK, lw=1.4, marker="o", ms=3, label="as recorded")
    for place, shift, best in zip(share, found.shifts, found.best, strict=True):
        if shift:
            axes.annotate(f"{shift:+d}", (place, best), xytext=(0, 5), textcoords="offset points", ha="center")
    if found.slip is not None:
        axes.axvline(100 * found.slip / session.shape[0], color=OKABE_ITO[4], lw=1.2, label="slip")
    axes.set_xlim(0, 100)
    axes.set_xlabel("share of the recording, %")
    axes.set_ylabel("bits/spike")
    axes.set_ylim(min(0.0, *found.scores), 1.15 * max(0.01, *found.best))
    axes.legend(loc="lower left")
    grid(axes)
