"""Files as they look from outside: names, sizes and times of change, hashed. Reads no file, so that it takes no time.

Equal stamps mean that nobody has touched the files since; unequal ones mean that they must be read to know. Two times
are looked at: that of the content, which an archive or a copy puts back as it was, and that of the entry, which nobody
can.
"""

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TypeAlias

from ablate.disk.listing import files_under, places_at, roots

Look: TypeAlias = tuple[int, int, int]
"""Size, and both times, ns."""


def stamp_of(entries: Iterable[str]) -> str:
    """20 hex characters for all files of some folders, files or globs; empty where one of them leads to no file, and
    where there is none. From all roots: where an entry leads in the first of them alone, others may be read.
    """
    entries = tuple(entries)
    if not entries:
        return ""
    digest = hashlib.blake2b(digest_size=10)
    for entry in sorted(set(entries)):
        places = dict.fromkeys(place for root in roots(Path()) for place in places_at(entry, root))
        files = [file for place in places for file in _files(place)]
        if not files:
            return ""
        for file in files:
            digest.update(f"{file}\0{look_of(file)}\0".encode("utf-8", "surrogateescape"))
    return digest.hexdigest()


def look_of(file: Path) -> Look:
    """What every cache of a file's content goes by. Of a link that leads nowhere it is the link's own."""
    facts = file.stat() if file.exists() else file.lstat()
    return facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns


def _files(place: Path) -> Iterator[Path]:
    """A file itself, or all files under a folder, in one order."""
    if place.is_file():
        yield place
    yield from files_under(place)
