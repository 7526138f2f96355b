"""What the fitted models look like, where `ablate show STUDY` collected it: baseline, reference, best variant."""

from ablate.analysis import StudyAnalysis, VariantAnalysis
from ablate.errors import AblateError
from ablate.report.figures.model import CATALOGUE, drawings
from ablate.report.figures.style import Look
from ablate.report.html.markup import Html, html, section, tag
from ablate.report.html.ranked import dot
from ablate.report.html.vector import inline_svg
from ablate.report.main_rows import main_rows
from ablate.result import Store
from ablate.result.picture import ModelPicture, read_picture

SCALE = 1.3
"""Smaller than the study's figures: several stand side by side."""


def pictures(analysis: StudyAnalysis, looks: dict[str, Look], store: Store | None) -> Html:
    """Nothing without a study's folder; without pictures, how to get them."""
    if store is None:
        return Html("")
    found = [(row, picture) for row in main_rows(analysis) if (picture := _picture(row, store)) is not None]
    if not found:
        return Html("")
    drawn = [_model(index, row, picture, looks) for index, (row, picture) in enumerate(found)]
    captions = tag("ul", (tag("li", f"{kind.title}: {kind.caption}") for kind in CATALOGUE), class_="quiet notes")
    return section("pictures", "The models as fitted", drawn, captions)


def _picture(row: VariantAnalysis, store: Store) -> ModelPicture | None:
    """Of the row's first seed that has one; a damaged file counts as none."""
    for _, key in row.keys:
        try:
            picture = read_picture(store.root, key)
        except AblateError:
            continue
        if picture is not None:
            return picture
    return None


def _model(index: int, row: VariantAnalysis, picture: ModelPicture, looks: dict[str, Look]) -> Html:
    title = tag("h3", dot(looks[row.name]), row.name, tag("span", f"  seed {picture.seed}", class_="small"))
    made = [
        tag(
            "figure",
            tag("h4", drawing.title),
            inline_svg(figure, f"{drawing.name}-{index}", f"{drawing.title}, {row.name}", scale=SCALE),
        )
        for drawing, figure in drawings(picture)
    ]
    return html([title, tag("div", made, class_="gallery")])
