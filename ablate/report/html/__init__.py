"""Takes a `StudyAnalysis`, gives one self-contained HTML file: printable, light and dark, everything in it escaped."""

from pathlib import Path

from ablate.analysis import StudyAnalysis
from ablate.disk.whole import write_bytes, writing
from ablate.report.html.page import page
from ablate.result import Store


def write_html(analysis: StudyAnalysis, path: Path, *, pictures: Store | None = None) -> None:
    """Writes the page, whole or not at all. pictures: the study's folder, for its models' pictures and its device.

    Raises AblateError where it cannot write.
    """
    with writing(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
    write_bytes(path, page(analysis, pictures).encode())


__all__ = ["page", "write_html"]
