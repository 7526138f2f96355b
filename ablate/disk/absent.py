"""What is said of a path where nothing lies: the name beside it that a person most likely meant."""

import os
from difflib import get_close_matches
from pathlib import Path

from ablate.errors import AblateError, Problem

ALIKE = 0.6  # difflib's own


def absent(path: Path, what: str, hint: str = "") -> AblateError:
    """The error for a path where nothing lies. hint: the next move where no name beside it is alike."""
    return AblateError(problems=(absence(path, what, hint),))


def absence(path: Path, what: str, hint: str = "") -> Problem:
    """The same as a problem among others."""
    near = nearest_path(path)
    return Problem(what, str(path), hint if near is None else f"did you mean {near}?")


def nearest_path(path: Path) -> Path | None:
    """The path that exists and is most alike, folder by folder; None where no name is."""
    folder: Path | None = path.parent
    if folder == path:
        return None
    if not path.parent.is_dir():
        folder = nearest_path(path.parent)
    if folder is None or not path.name:
        return None
    try:
        names = os.listdir(folder)
    except OSError:  # not a folder after all, or one that may not be listed
        return None
    near = [path.name] if path.name in names else get_close_matches(path.name, sorted(names), n=1, cutoff=ALIKE)
    return folder / near[0] if near else None
