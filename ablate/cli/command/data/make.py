"""`ablate data make`: the synthetic recordings as recording folders."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from ablate.cli.console import say
from ablate.cli.options import Sets
from ablate.errors import AblateError


def make(
    out: Annotated[Path, typer.Argument(help="Folder for the recordings.", metavar="OUT")],
    recipe: Annotated[Path | None, typer.Option(help="Take the `data` section of this recipe.")] = None,
    sets: Sets = None,
) -> None:
    """Write synthetic recordings as recording folders. Those of synthetic_v1, or of a recipe's data section."""
    raise typer.Exit(make_data(out, recipe=recipe, sets=tuple(sets or ())))


def make_data(folder: Path, *, recipe: Path | None, sets: Sequence[str]) -> int:
    """Writes every session as a recording folder. Raises AblateError before anything would be overwritten."""
    from ablate.cli.command.data.recipe import recipe_of
    from ablate.data.recording import write_recording
    from ablate.data.synthetic.config import SyntheticV1Config
    from ablate.data.synthetic.make import make_session
    from ablate.data.synthetic.world import session_name

    config = recipe_of(recipe, sets).data
    if not isinstance(config, SyntheticV1Config):
        what = f"the data of this recipe are {config.type}, which are not made from a seed"
        raise AblateError(what, where="data.type", hint="leave --recipe out, or name one whose data are synthetic_v1")
    names = [session_name(index) for index in range(config.sessions)]
    there = [name for name in names if (folder / name).exists()]
    if there:
        what = (
            f"{there[0]} already exists" if len(there) == 1 else f"{there[0]} and {len(there) - 1} more already exist"
        )
        raise AblateError(what, where=str(folder), hint="name another folder, or remove these first")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for index, name in enumerate(names):
            recording = make_session(config.world, index)
            write_recording(folder / name, recording)
            say(f"[{index + 1}/{len(names)}] {folder / name}: {recording.frames} frames, {recording.units} units")
    except OSError as error:
        raise AblateError(f"cannot be written: {error.strerror or error}", where=str(folder)) from None
    say(f"train on them: ablate run RECIPE --data {shlex.quote(str(folder))}")
    return 0
