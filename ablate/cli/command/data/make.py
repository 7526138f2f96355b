"""`ablate data make`: synthetic recordings as recording folders, or an example folder of trials."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from ablate.cli.console import say
from ablate.cli.options import Sets
from ablate.errors import AblateError


def make(
    out: Annotated[Path, typer.Argument(help="Folder for the data.", metavar="OUT")],
    type: Annotated[str, typer.Option(help="recordings, or trials of EEG and video.")] = "recordings",
    layout: Annotated[str, typer.Option(help="Of trials: native (.npz), or mne (.fif and .mp4).")] = "native",
    recipe: Annotated[Path | None, typer.Option(help="Take the `data` section of this recipe.")] = None,
    sets: Sets = None,
) -> None:
    """Write data to begin with. Recordings of synthetic_v1 or of a recipe, or example trials with a study of them."""
    if type == "trials":
        if recipe is not None or sets:
            what, hint = "the example trials are always the same", "leave --recipe and --set out"
            raise AblateError(what, where="--recipe" if recipe is not None else "--set", hint=hint)
        raise typer.Exit(make_trials(out, layout))
    if type != "recordings":
        raise AblateError(f"--type {type} is unknown", hint="write recordings or trials")
    raise typer.Exit(make_data(out, recipe=recipe, sets=tuple(sets or ())))


def make_trials(folder: Path, layout: str) -> int:
    """Writes the example. Raises AblateError before anything would be overwritten."""
    from ablate.data.trials.example import write_example

    if layout not in ("native", "mne"):
        raise AblateError(f"--layout {layout} is unknown", hint="write native or mne")
    try:
        count = write_example(folder, "mne" if layout == "mne" else "native", tell=say)
    except OSError as error:
        raise AblateError(f"cannot be written: {error.strerror or error}", where=str(folder)) from None
    place = shlex.quote(str(folder))
    say(f"{count} trials and a study of them, {place}/study.yaml; docs/eeg.md says how your own must look")
    say(f"look at them: ablate data info {place}")
    say(f"train on them: ablate run {shlex.quote(str(folder / 'study.yaml'))}")
    return 0


def make_data(folder: Path, *, recipe: Path | None, sets: Sequence[str]) -> int:
    """Writes every session as a recording folder, all of them or none. Raises AblateError, also before anything would
    be overwritten."""
    from ablate.cli.command.data.recipe import recipe_of
    from ablate.data.recording import write_recording
    from ablate.data.synthetic.config import SyntheticV1Config
    from ablate.data.synthetic.make import make_session
    from ablate.data.synthetic.world import session_name
    from ablate.disk.whole import whole_entries, writing

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
    with writing(folder), whole_entries(folder) as beside:
        for index, name in enumerate(names):
            recording = make_session(config.world, index)
            write_recording(beside / name, recording)
            say(f"[{index + 1}/{len(names)}] {folder / name}: {recording.frames} frames, {recording.units} units")
    say(f"train on them: ablate run RECIPE --data {shlex.quote(str(folder))}")
    return 0
