"""Files and folders that are whole or absent: written beside their place, synced, and moved in by one rename."""

import errno
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from ablate.disk.read import json_text
from ablate.errors import AblateError

BESIDE = ".tmp-"
"""What a file or folder is called while it is written: `.tmp-<name>-<pid>-<8 hex>`."""
_HINTS = {
    errno.ENOSPC: "the disk is full: free some space (`ablate clean` lists what can go) and start again",
    errno.EDQUOT: "the disk quota is used up: free some space (`ablate clean` lists what can go) and start again",
    errno.EROFS: "the folder is read-only: choose another folder",
    errno.EACCES: "the folder may not be written by this user: choose another folder",
    errno.ENOLCK: "keep results on a file system with locks, for example a local disk",
    errno.EPERM: "the folder may not be written by this user: choose another folder",
}


@contextmanager
def writing(where: Path) -> Iterator[None]:
    """Turns the system's refusal to write (disk full, read-only, ...) into one clear message."""
    try:
        yield
    except OSError as error:
        hint = _HINTS.get(error.errno or 0, "")
        raise AblateError(f"cannot write: {error.strerror or error}", where=str(where), hint=hint) from error


@contextmanager
def whole_file(place: Path, *, durable: bool = True) -> Iterator[IO[bytes]]:
    """A file that is in its place once the block ends, and nowhere if it does not. Raises OSError.

    durable: also proof against a power cut, which costs milliseconds.
    """
    beside = _beside(place)
    try:
        with beside.open("wb") as file:
            yield file
            if durable:
                file.flush()
                os.fsync(file.fileno())
        os.replace(beside, place)
    except BaseException:
        with suppress(OSError):
            beside.unlink()
        raise
    if durable:
        sync_folder(place.parent)


@contextmanager
def whole_folder(place: Path) -> Iterator[Path]:
    """A folder to fill that is in its place once the block ends, and nowhere if it does not. Raises OSError."""
    place.parent.mkdir(parents=True, exist_ok=True)
    beside = _beside(place)
    beside.mkdir()
    try:
        yield beside
        move_folder(beside, place)
    finally:
        shutil.rmtree(beside, ignore_errors=True)


@contextmanager
def whole_entries(place: Path) -> Iterator[Path]:
    """A folder to fill: once the block ends all that was put there is in `place`, which may hold other things, and none
    of it if the block does not end. Raises OSError, also where `place` has an entry of that name already.
    """
    if not place.exists():
        with whole_folder(place) as beside:
            yield beside
        return
    beside, moved = place / _beside(place).name, list[Path]()
    beside.mkdir()
    try:
        yield beside
        for entry in sorted(beside.iterdir()):
            if (place / entry.name).exists():
                raise FileExistsError(errno.EEXIST, "already exists", str(place / entry.name))
            os.rename(entry, place / entry.name)
            moved.append(entry)
        sync_folder(place)
    except BaseException:
        for entry in moved:
            os.rename(place / entry.name, entry)
        raise
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def move_folder(source: Path, place: Path) -> None:
    """One rename, synced. Raises OSError, for example where `place` holds something."""
    os.rename(source, place)
    sync_folder(place.parent)


def write_bytes(path: Path, data: bytes) -> None:
    """A file, whole or not at all. Raises AblateError."""
    with writing(path), whole_file(path) as file:
        file.write(data)


def write_json(path: Path, value: object) -> None:
    """A JSON file, whole or not at all. Raises AblateError."""
    write_bytes(path, json_text(value, path).encode())


def sync_folder(folder: Path) -> None:
    """Makes a rename in `folder` survive a power cut, where the system can."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def sync_file(path: Path) -> None:
    """Makes a file's bytes survive a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _beside(place: Path) -> Path:
    return place.with_name(f"{BESIDE}{place.name}-{os.getpid()}-{uuid.uuid4().hex[:8]}")
