"""`ablate stop`: cancels what a study has waiting or running on a cluster. Loads no torch."""

from pathlib import Path

import typer

from ablate.cli.console import say
from ablate.cli.options import StudyPath


def stop(study: StudyPath) -> None:
    """Cancel the jobs of STUDY on a cluster. Each saves its place; `ablate run` goes on from there."""
    raise typer.Exit(stop_studies(study))


def stop_studies(path: Path) -> int:
    """Raises AblateError where the cluster cannot be asked."""
    from ablate.cli.studies import studies_under
    from ablate.execution.elsewhere import cancel

    for store in studies_under(path):
        number = cancel(store.tickets)
        if number:
            say(f"{store.root}: {number} job{'s' if number > 1 else ''} cancelled; what runs saves its place first")
        else:
            say(f"{store.root}: nothing waits or runs on a cluster (a command on this machine is stopped by Ctrl-C)")
    return 0
