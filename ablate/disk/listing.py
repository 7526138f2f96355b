"""What lies in a folder, or where a path or glob leads: by name, without hidden files and the `._name` that a Mac
leaves beside each file."""

import os
from collections.abc import Iterator
from pathlib import Path

from ablate.errors import AblateError

ROOT_VARIABLE = "ABLATE_DATA"
"""Data that are not found from the working directory are looked for from here."""


def visible(folder: Path) -> list[Path]:
    """Files and folders directly in a folder, by name; none where it is no folder. Raises AblateError where it may not
    be looked into."""
    if not folder.is_dir():
        return []
    try:
        return sorted(one for one in folder.iterdir() if not is_hidden(one.name))
    except OSError as error:
        raise AblateError(f"cannot be read: {error.strerror}", where=str(folder)) from error


def files_under(folder: Path) -> Iterator[Path]:
    """All visible files under a folder, in one order; links are followed, and each folder is met once."""
    met = set()
    for place, folders, names in os.walk(folder, followlinks=True):
        real = os.path.realpath(place)
        if real in met:
            folders.clear()
            continue
        met.add(real)
        folders[:] = sorted(name for name in folders if not is_hidden(name))
        yield from (Path(place, name) for name in sorted(names) if not is_hidden(name))


def roots(here: Path) -> tuple[Path, ...]:
    """Where relative paths of data begin: the working directory, then $ABLATE_DATA."""
    named = os.environ.get(ROOT_VARIABLE)
    return (here, Path(named)) if named else (here,)


def places_at(entry: str, root: Path) -> list[Path]:
    """What a path or glob leads to from a root, by name; a path leads to itself, whether it is there or not."""
    pattern = Path(entry).expanduser()
    base = Path(pattern.anchor) if pattern.is_absolute() else root
    relative = str(pattern.relative_to(pattern.anchor)) if pattern.is_absolute() else str(pattern)
    literal = base / relative  # a folder may well be named `mouse[1]`
    if literal.exists() or not any(sign in relative for sign in "*?["):
        return [literal]
    return sorted(one for one in base.glob(relative) if not is_hidden(one.name))


def is_hidden(name: str) -> bool:
    return name.startswith(".")
