"""`ablate export`: a finished run in, a folder with all of its model out."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from ablate.cli.console import say
from ablate.cli.options import MovedData, OneSeed, OneVariant, RunPath


def export(
    run_path: RunPath,
    folder: Annotated[Path, typer.Argument(help="The folder to write; it must not exist.", metavar="FOLDER")],
    variant: OneVariant = None,
    seed: OneSeed = None,
    data: MovedData = None,
) -> None:
    """Write a fitted model as a folder that stands alone. `ablate.load` reads it."""
    raise typer.Exit(export_model(run_path, folder, variant=variant, seed=seed, data=data or ()))


def export_model(
    path: Path, folder: Path, *, variant: str | None = None, seed: int | None = None, data: Sequence[Path] = ()
) -> int:
    """Writes the folder. Raises AblateError for a run without weights."""
    import torch

    from ablate.result.store.named import named_run
    from ablate.study.fitted.export import export_run
    from ablate.study.fitted.opened import opened_run

    store, key = named_run(path, variant, seed)
    run = opened_run(store, key, torch.device("cpu"), data)
    export_run(run, folder)
    say(f"wrote {folder}: {run.record.variant} seed {run.record.seed}; `ablate.load({str(folder)!r})` reads it")
    return 0
