"""`ablate report`: a study's folder in, its table, page or figures out. Loads no torch."""

from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, get_args

import typer

from ablate.cli.console import say, stage
from ablate.cli.options import Details, StudyPath, known_format
from ablate.errors import AblateError

if TYPE_CHECKING:
    from ablate.analysis.outcome import StudyAnalysis
    from ablate.report.figures.write import Kind
    from ablate.result import Store

SAVED_TEXTS = {
    "table.txt": "table",
    "table.md": "markdown",
    "table.json": "json",
    "table.csv": "csv",
    "per_unit.md": "units",
}
SAVED_WIDTH = 120


def report(
    study: StudyPath = Path("results"),
    format: Annotated[
        str, typer.Option(help="table, markdown, csv, json, latex or units (every unit's own score).")
    ] = "table",
    html: Annotated[Path | None, typer.Option(help="Write one self-contained HTML file.", metavar="FILE")] = None,
    figures: Annotated[Path | None, typer.Option(help="Write every figure as SVG, PNG and PDF.", metavar="DIR")] = None,
    save: Annotated[
        bool,
        typer.Option("--save", help="Write table, page, figures and records into the study's folder, to be committed."),
    ] = False,
    details: Details = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Print the table again whenever a run finishes, until Ctrl-C.")
    ] = False,
) -> None:
    """Print the ranked table of STUDY. A report is a pure function of the results folder: it trains nothing."""
    from ablate.disk.read import without_collection

    with nullcontext() if watch else without_collection(to_the_end=True):
        code = report_study(study, format=format, html=html, figures=figures, save=save, details=details, watch=watch)
    raise typer.Exit(code)


def report_study(
    path: Path,
    *,
    format: str = "table",
    html: Path | None = None,
    figures: Path | None = None,
    save: bool = False,
    details: bool = False,
    watch: bool = False,
) -> int:
    """Prints the report of every study under `path`, of several an overview first. Raises AblateError when there is
    none.
    """
    stage(f"reading {path}")
    from ablate.cli.screen.ranking import print_overview, print_report, watch_studies
    from ablate.cli.studies import analysis_of, studies_under
    from ablate.report import Format

    known_format(format, get_args(Format))
    stores = studies_under(path)
    if (html or figures) and len(stores) > 1:
        names = ", ".join(store.root.name for store in stores)
        raise AblateError(f"{path} holds several studies ({names})", hint="name one of them for --html and --figures")
    if watch:
        stage()
        return watch_studies(stores)
    to_files = bool(html or figures or save)
    analyses = [analysis_of(store, tell=True) for store in stores]
    stage()
    if len(stores) > 1 and format == "table" and not to_files:
        print_overview(stores, analyses)
    for place, (store, analysis) in enumerate(zip(stores, analyses, strict=True)):
        if save:
            save_report(store, analysis)
        if html is not None:
            save_page(store, analysis, html)
        if figures is not None:
            save_figures(analysis, figures)
        if format != "table" or not to_files:
            if place:
                print()
            print_report(analysis, format, store, details=details)
    return 0


def save_report(store: "Store", analysis: "StudyAnalysis") -> None:
    """Table, page, figures and packed runs into the study's own folder: what is committed of a study."""
    from ablate.disk.whole import write_bytes
    from ablate.report import render
    from ablate.report.scores import scores_text

    for name, format in SAVED_TEXTS.items():
        text = render(analysis, format, SAVED_WIDTH, store=store)
        write_bytes(store.root / name, text.encode())
        say(f"wrote {store.root / name}")
    say(f"wrote {store.pack()}")
    write_bytes(store.root / "scores.csv", scores_text(analysis).encode())
    say(f"wrote {store.root / 'scores.csv'}")
    save_page(store, analysis, store.root / "report.html")
    save_figures(analysis, store.root / "figures", only=("svg",))


def save_page(store: "Store", analysis: "StudyAnalysis", path: Path) -> None:
    """The HTML page."""
    from ablate.report import compose
    from ablate.report.writer.page import write_page

    write_page(compose(analysis, store), path)
    say(f"wrote {path}")


def save_figures(analysis: "StudyAnalysis", folder: Path, only: "tuple[Kind, ...]" = ()) -> None:
    """Every figure of a study, in some formats or in all."""
    from ablate.report.figures import write_figures
    from ablate.report.figures.write import KINDS

    for file in write_figures(analysis, folder, only or KINDS):
        say(f"wrote {file}")
