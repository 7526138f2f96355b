"""`ablate data inspect`: what lies at a path, what would be read of it, and the lines of a recipe that read it."""

from pathlib import Path
from typing import Annotated

import typer

from ablate.cli.console import out
from ablate.cli.options import Sets


def inspect(
    path: Annotated[Path, typer.Argument(help="A file or folder of any laboratory.", metavar="PATH")],
    sets: Sets = None,
) -> None:
    """Say what lies at PATH and what would be read of it. NWB, Sensorium, open-retina, experanto, VisionCore, ours."""
    raise typer.Exit(inspect_path(path, tuple(sets or ())))


def inspect_path(path: Path, sets: tuple[str, ...] = ()) -> int:
    """Prints it. 0 where the first session could be read as it is, 1 where a setting is needed first."""
    from ablate.data.formats.inspect import inspected

    found = inspected(path, sets)
    for line in found.lines:
        out().print(line, markup=False, soft_wrap=True)
    return 0 if found.readable else 1
