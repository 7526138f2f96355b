"""`ablate clean`: lists what may go from a study's folder, and removes it only when asked to."""

from pathlib import Path
from typing import Annotated

import typer

from ablate.cli.console import out, say
from ablate.cli.options import StudyPath


def clean(
    study: StudyPath,
    yes: Annotated[bool, typer.Option("--yes", help="Delete; without it the command only lists.")] = False,
    weights: Annotated[bool, typer.Option("--weights", help="Also the weights of finished runs.")] = False,
) -> None:
    """List what can be deleted from STUDY. Left-over checkpoints, partial folders, runs that no variant uses."""
    raise typer.Exit(clean_study(study, yes=yes, weights=weights))


def clean_study(path: Path, *, yes: bool, weights: bool) -> int:
    """Dry by default. What a live process holds is never listed."""
    from ablate.cli.studies import studies_under
    from ablate.result.store.clean import garbage, remove

    for store in studies_under(path):
        listed = garbage(store, weights=weights)
        if not listed:
            say(f"{store.root}: nothing to remove")
            continue
        for item in listed:
            out().print(
                f"{item.bytes / 1e6:10.2f} MB  {store.root / item.path}  ({item.reason})", markup=False, soft_wrap=True
            )
        total = sum(item.bytes for item in listed) / 1e6
        if yes:
            remove(store, listed)
            say(f"{store.root}: removed {len(listed)} items, {total:.2f} MB")
        else:
            say(f"{store.root}: {len(listed)} items, {total:.2f} MB; nothing was removed, add --yes to remove them")
    return 0
