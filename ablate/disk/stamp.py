"""Files as they look from outside: names, sizes and times of change, hashed. Reads no file, so that it takes no time.

Equal stamps mean that nobody has touched the files since; unequal ones mean that they must be read to know.
"""

import glob
import hashlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from ablate.disk.listing import files_under


def stamp_of(entries: Iterable[str]) -> str:
    """20 hex characters for all files of some folders, files or globs; empty where one of them leads to no file, and
    where there is none.
    """
    entries = tuple(entries)
    if not entries:
        return ""
    digest = hashlib.blake2b(digest_size=10)
    for entry in sorted(set(entries)):
        places = [entry] if os.path.exists(entry) else sorted(glob.glob(entry))  # a folder may be named `mouse[1]`
        files = [file for place in places for file in _files(Path(place))]
        if not files:
            return ""
        for file in files:
            facts = file.stat()
            digest.update(f"{file}\0{facts.st_size}\0{facts.st_mtime_ns}\0".encode())
    return digest.hexdigest()


def _files(place: Path) -> Iterator[Path]:
    """A file itself, or all files under a folder, in one order."""
    if place.is_file():
        yield place
    yield from files_under(place)
