"""The page: sections in the order in which a reader asks. One file, no script, no outside address."""

from functools import cache
from pathlib import Path

from ablate.analysis import StudyAnalysis
from ablate.report.figures import figures
from ablate.report.figures.style import looks
from ablate.report.html.breakdown import models, sessions
from ablate.report.html.company import changes, warnings
from ablate.report.html.guide import guide
from ablate.report.html.markup import Html, html, section, tag
from ablate.report.html.pictures import pictures
from ablate.report.html.provenance import provenance
from ablate.report.html.ranked import head, next_steps, ranked
from ablate.report.html.vector import inline_svg
from ablate.result import Store


def page(analysis: StudyAnalysis, store: Store | None = None) -> str:
    """The whole document."""
    style = looks(analysis)
    body = html(
        [
            head(analysis),
            next_steps(analysis),
            ranked(analysis, style),
            drawings(analysis),
            warnings(analysis),
            changes(analysis, style),
            sessions(analysis, style),
            models(analysis, style),
            pictures(analysis, style, store),
            guide(analysis),
            provenance(analysis, store),
        ]
    )
    top = [
        tag("meta", charset="utf-8"),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="generator", content="ablate"),
        tag("title", f"{analysis.name}: {analysis.question}"),
        Html(f"<style>{stylesheet()}</style>"),
    ]
    whole = tag("html", tag("head", top), tag("body", tag("main", body)), lang="en")
    return f"<!doctype html>\n{whole}\n"


@cache
def stylesheet() -> str:
    return (Path(__file__).parent / "style.css").read_text(encoding="utf-8")


def drawings(analysis: StudyAnalysis) -> Html:
    """A section for each figure that the study has something for."""
    return html(
        section(
            f"figure-{drawing.name}",
            drawing.title,
            tag("figure", inline_svg(figure, drawing.name, drawing.title), tag("figcaption", drawing.caption)),
        )
        for drawing, figure in figures(analysis)
    )
