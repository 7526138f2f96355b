"""One figure: runs bought against verdicts right; the area of a marker is the chance of a false winner."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib
from compare import Line

COLOURS = {"others": "#8a8f98", "packages": "#4c78a8", "ours": "#c4521b"}
LEGEND = {"others": "rules in use", "packages": "other packages", "ours": "ablate"}
AREA = 900.0
"""Square points of a marker whose studies all name a false winner."""
LEAST = 12.0
"""A rule without false winners is still seen."""


def draw(lines: Sequence[Line], path: Path) -> None:
    """An SVG that is the same, byte for byte, for the same numbers."""
    matplotlib.use("svg")
    matplotlib.rcParams.update({"svg.hashsalt": "verdicts", "svg.fonttype": "none", "font.size": 9})
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(8.4, 5.0), layout="constrained")
    for number, line in enumerate(lines, start=1):
        x, y = line.half.runs, 100 * line.half.right
        colour = COLOURS[line.rule.family]
        axes.scatter(x, y, s=LEAST + AREA * line.none.false_winner, color=colour, alpha=0.45, linewidths=0)
        axes.plot(x, y, ".", color=colour, markersize=3)
        beside = (5, 3) if number % 2 else (5, -8)
        axes.annotate(str(number), (x, y), xytext=beside, textcoords="offset points", fontsize=8)
    names = "\n".join(f"{number:2d}  {line.rule.name}" for number, line in enumerate(lines, start=1))
    axes.text(1.02, 1.0, names, transform=axes.transAxes, va="top", fontsize=7.5)
    for family, colour in COLOURS.items():
        axes.scatter([], [], s=60, color=colour, alpha=0.6, label=LEGEND[family])
    axes.legend(loc="lower right", frameon=False)
    axes.set_xscale("log")
    axes.set_xticks([11, 33, 55, 80, 110, 200], ["11", "33", "55", "80", "110", "200"])
    axes.minorticks_off()
    axes.set(xlabel="runs bought, ten patches and a baseline", ylabel="verdicts right, %")
    axes.set_title("area: how often a study of ten patches that do nothing names a winner", fontsize=9)
    axes.spines[["top", "right"]].set_visible(False)
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, metadata={"Date": None})
    pyplot.close(figure)
