"""Takes a `StudyAnalysis` (or a fitted model's numbers), gives figures. matplotlib is loaded here
alone."""

from collections.abc import Sequence
from pathlib import Path

from ablate.analysis.outcome import StudyAnalysis
from ablate.report.figures.catalogue import CATALOGUE, figures
from ablate.report.figures.write import KINDS, Kind, rendered, write_all


def write_figures(analysis: StudyAnalysis, folder: Path, kinds: Sequence[Kind] = KINDS) -> list[Path]:
    """Every figure that the study has something for, as SVG, PNG and PDF; the paths in the order of reading."""
    return write_all(((drawing.name, figure) for drawing, figure in figures(analysis)), folder, kinds)
