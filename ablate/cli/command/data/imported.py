"""`ablate data import`: another lab's files as recording folders of ours."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ablate.cli.console import say
from ablate.cli.options import Sets
from ablate.errors import AblateError

if TYPE_CHECKING:
    from ablate.data.recording import Recording


def imported(
    path: Annotated[Path, typer.Argument(help="A file or folder of another laboratory.", metavar="PATH")],
    folder: Annotated[Path, typer.Argument(help="Where the recording folders go.", metavar="FOLDER")],
    sets: Sets = None,
) -> None:
    """Write another lab's files as recording folders. Settings of the format by --set: `--set axes=tyx`."""
    raise typer.Exit(import_path(path, folder, tuple(sets or ())))


def import_path(path: Path, folder: Path, sets: tuple[str, ...] = ()) -> int:
    """Writes FOLDER/<session> for each session, all of them or none. Raises AblateError, also before anything would be
    overwritten."""
    from ablate.data.formats.base import session_name
    from ablate.data.formats.inspect import config_of
    from ablate.disk.whole import whole_entries, writing

    config = config_of(path, sets)
    places = config.places()
    targets = [folder / session_name(place) for place in places]
    for target in targets:
        if target.exists():
            raise AblateError("already exists", where=str(target), hint="name another folder, or remove this one first")
    if len(set(targets)) < len(targets):
        raise AblateError("two sessions have the same name", where=str(path))
    try:
        with writing(folder), whole_entries(folder) as beside:
            for number, (place, target) in enumerate(zip(places, targets, strict=True), 1):
                _write(config.checked(place), beside / target.name, f"[{number}/{len(places)}] {target}")
    except AblateError:
        say(f"nothing is written to {folder}")
        raise
    say(f"train on them: ablate run RECIPE --data {shlex.quote(str(folder))}")
    return 0


def _write(recording: "Recording", place: Path, head: str) -> None:
    from ablate.data.recording import write_recording

    write_recording(place, recording, checked=False)
    say(f"{head}: {recording.frames} bins of {recording.bin_rate_hz:g} Hz, {recording.units} units")
    for name in ("inferred", "not_used"):
        for line in recording.told(name):
            say(f"  {name.replace('_', ' ')}: {line}")
