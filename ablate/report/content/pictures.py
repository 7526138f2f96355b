"""The figures of a study, and of its main models where `ablate show STUDY` collected them. Nothing is drawn, and no
matplotlib loaded, until a writer asks.
"""

from collections.abc import Iterator

from ablate.analysis.best import main_rows
from ablate.analysis.outcome import StudyAnalysis, VariantAnalysis
from ablate.errors import AblateError
from ablate.metric import metric_named
from ablate.report.content.block import Block, Picture, Pictures
from ablate.result import Store
from ablate.result.picture import ModelPicture, pictured_runs, read_picture

SMALL = 1.3
"""CSS pixels a point of a model's pictures: several stand side by side."""


def figures(analysis: StudyAnalysis) -> Iterator[Block]:
    """Those that the study has something for."""

    def drawn() -> Iterator[Picture]:
        from ablate.report.figures import figures as study_figures

        for drawing, figure in study_figures(analysis):
            title, caption = (metric_named(analysis.metric).worded(text) for text in (drawing.title, drawing.caption))
            yield Picture(drawing.name, title, caption, figure)

    how = "`ablate report STUDY --figures DIR` writes them, `--html FILE` shows them in a page."
    yield Pictures("figures", "Figures", drawn, how)


def models_as_fitted(analysis: StudyAnalysis, store: Store | None) -> Iterator[Block]:
    """Baseline, reference and best variant; nothing where no picture was collected."""
    if store is None:
        return
    present = pictured_runs(store.root)
    found = [
        (row.name, picture) for row in main_rows(analysis) if (picture := _picture(row, store, present)) is not None
    ]
    if not found:
        return

    def drawn() -> Iterator[Picture]:
        from ablate.report.figures.model import drawings

        for index, (name, picture) in enumerate(found):
            for drawing, figure in drawings(picture):
                titled = f"{name}, seed {picture.seed}"
                yield Picture(f"{drawing.name}-{index}", drawing.title, drawing.caption, figure, titled, SMALL)

    yield Pictures("models-as-fitted", "The models as fitted", drawn, "`ablate show STUDY` draws them.")


def _picture(row: VariantAnalysis, store: Store, present: frozenset[str]) -> ModelPicture | None:
    """Of the row's first seed that has one; a damaged file counts as none."""
    for _, key in row.keys:
        if key not in present:
            continue
        try:
            picture = read_picture(store.root, key)
        except AblateError:
            continue
        if picture is not None:
            return picture
    return None
