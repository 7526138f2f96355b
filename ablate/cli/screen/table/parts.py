"""The parts that a recipe can name, as an index of all of them or as one part with its options."""

import json
from collections.abc import Sequence

from rich.table import Table
from rich.text import Text

from ablate.catalogue import Part
from ablate.cli.console import out
from ablate.disk.read import Json


def print_json(parts: Sequence[Part]) -> None:
    """All of it, for programs."""
    print(json.dumps({"parts": [as_json(part) for part in parts]}, indent=1))


def as_json(part: Part) -> Json:
    """A stable shape for programs."""
    options = [{"name": o.name, "type": o.type, "default": o.default, "help": o.help} for o in part.options]
    return {
        "kind": part.kind,
        "type": part.type or None,
        "at": part.at,
        "places": list(part.places),
        "summary": part.summary,
        "options": options,
    }


def print_index(parts: Sequence[Part]) -> None:
    """One line a part, under the place where a recipe names it."""
    console = out()
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("under")
    table.add_column("part")
    table.add_column("options", justify="right")
    table.add_column("what it is", overflow="fold")
    last = ""
    for part in parts:
        table.add_row(part.at if part.at != last else "", Text(part.name), str(len(part.options)), Text(part.summary))
        last = part.at
    console.print(table)
    console.print("options of one part: ablate parts vivit", markup=False)


def print_part(part: Part) -> None:
    """A part's options with their help."""
    console = out()
    at = ", ".join(part.places)
    title = f"{at}: {part.type}" if part.type else at
    console.print(f"{title}\n  {part.summary}", markup=False)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 2), show_header=bool(part.options))
    for name in ("option", "type", "default"):
        table.add_column(name, overflow="fold")
    table.add_column("help", overflow="fold", ratio=1)
    for option in part.options:
        table.add_row(*(Text(text) for text in (option.name, option.type, option.default, option.help)))
    console.print(table if part.options else "  no options", markup=False)
    console.print()
