"""What lies in a folder: by name, without hidden files and the `._name` that a Mac leaves beside each file."""

import os
from collections.abc import Iterator
from pathlib import Path

from ablate.errors import AblateError


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


def is_hidden(name: str) -> bool:
    return name.startswith(".")
