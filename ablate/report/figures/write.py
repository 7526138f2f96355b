"""Figures to bytes and files: SVG with text as text, PNG, PDF. The same figure gives the same bytes on any day."""

import io
import warnings
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal, get_args

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from ablate.disk.whole import write_bytes, writing
from ablate.report.figures.style import styled

Kind = Literal["svg", "png", "pdf"]

UNDATED: dict[str, dict[str, None]] = {
    "svg": {"Date": None, "Creator": None},
    "png": {"Software": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}


def rendered(figure: Figure, kind: Kind) -> bytes:
    """The figure in one format, without a date or a version in it."""
    written = io.BytesIO()
    with styled(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a name in a script that the font lacks is drawn as boxes
        FigureCanvasAgg(figure)
        figure.savefig(written, format=kind, metadata=UNDATED[kind])
    return written.getvalue()


KINDS: tuple[Kind, ...] = get_args(Kind)


def write_figure(figure: Figure, folder: Path, name: str, kinds: Sequence[Kind] = KINDS) -> list[Path]:
    """`name.svg`, `name.png` and `name.pdf`, each whole or not at all. Raises AblateError where it cannot write."""
    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    paths = []
    for kind in kinds:
        path = folder / f"{name}.{kind}"
        write_bytes(path, rendered(figure, kind))
        paths.append(path)
    return paths


def write_all(named: Iterable[tuple[str, Figure]], folder: Path, kinds: Sequence[Kind] = KINDS) -> list[Path]:
    """Every figure in every format."""
    return [path for name, figure in named for path in write_figure(figure, folder, name, kinds)]
