"""`ablate status`: where each run of a study stands, asked from any machine that sees its folder. Loads no torch."""

from pathlib import Path
from typing import Annotated

import typer

from ablate.cli.options import StudyPath, TableOrJson, known_format


def status(
    study: StudyPath,
    watch: Annotated[
        bool, typer.Option("--watch", help="Go on until every run has ended, and say what changes.")
    ] = False,
    every: Annotated[float, typer.Option(help="With --watch: seconds between two looks.", min=0.1)] = 5.0,
    format: TableOrJson = "table",
) -> None:
    """Say how far STUDY is. Which runs wait, run (where, since when, at which step), are done or failed; the cost."""
    raise typer.Exit(status_of_studies(study, watch=watch, every=every, format=format))


def status_of_studies(path: Path, *, watch: bool = False, every: float = 5.0, format: str = "table") -> int:
    """The exit code: 0 all runs are done, 1 some gave no score, 3 some are still to come."""
    from ablate.cli.screen.live.status import print_status, watch_status
    from ablate.cli.studies import studies_under

    known_format(format)
    stores = studies_under(path)
    return watch_status(stores, every, format) if watch else print_status(stores, format)
