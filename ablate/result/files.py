"""Files that are whole or absent: written beside their place, synced, and moved in by one rename; read with a bound.

What is read here may come from someone else: a file is refused when it is too large, no plain file (a pipe would hang
the reader, a link could lead out of the folder), nested too deep, or not JSON.
"""

import errno
import json
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from ablate.errors import AblateError

MAX_BYTES = 256 * 2**20
"""No record, manifest or learning curve comes near this."""

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]{0,119}\Z")
_KEY = re.compile(r"[0-9a-f]{8,64}\Z")
_HINTS = {
    errno.ENOSPC: "the disk is full: free some space (`ablate clean` lists what can go) and start again",
    errno.EDQUOT: "the disk quota is used up: free some space (`ablate clean` lists what can go) and start again",
    errno.EROFS: "the folder is read-only: choose another results folder",
    errno.EACCES: "the folder may not be written by this user: choose another results folder",
    errno.EPERM: "the folder may not be written by this user: choose another results folder",
}


def check_name(name: str, kind: str = "name") -> str:
    """A study's or variant's name that is safe as a folder's name. Raises AblateError; gives the name back."""
    if not _NAME.match(name):
        raise AblateError(
            f"{name[:80]!r} cannot be a {kind}",
            hint="use letters, digits and _ . + - (at most 120), beginning with a letter, a digit or _",
        )
    return name


def check_key(key: str) -> str:
    """A run's key: 8 to 64 hex digits, so that it can be a folder's name and no more. Raises AblateError."""
    if not _KEY.match(key):
        raise AblateError(f"{key[:80]!r} is no run key", hint="a key is 8 to 64 lower-case hex digits")
    return key


@contextmanager
def writing(where: Path) -> Iterator[None]:
    """Turns the system's refusal to write (disk full, read-only, ...) into one clear message."""
    try:
        yield
    except OSError as error:
        hint = _HINTS.get(error.errno or 0, "")
        raise AblateError(f"cannot write: {error.strerror or error}", where=str(where), hint=hint) from error


def write_bytes(path: Path, data: bytes) -> None:
    """Writes a file whole or not at all: beside its place, synced, then one rename. Raises AblateError."""
    beside = path.with_name(f".tmp-{path.name}-{os.getpid()}")
    with writing(path):
        try:
            _write_synced(beside, data)
            os.replace(beside, path)
            sync_folder(path.parent)
        except BaseException:
            with suppress(OSError):
                beside.unlink()
            raise


def write_json(path: Path, value: Any) -> None:
    """A JSON file, whole or not at all."""
    write_bytes(path, json_text(value, path).encode())


def json_line(value: Any, where: Path) -> bytes:
    """One line of JSON with sorted keys and no white space. Raises AblateError."""
    try:
        text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise AblateError(f"cannot be written as JSON: {error}", where=str(where)) from None
    return text.encode() + b"\n"


def json_text(value: Any, where: Path) -> str:
    """JSON with sorted keys; NaN is refused, since other readers choke on it. Raises AblateError."""
    try:
        return json.dumps(value, sort_keys=True, indent=1, allow_nan=False) + "\n"
    except (TypeError, ValueError, RecursionError) as error:
        raise AblateError(f"cannot be written as JSON: {error}", where=str(where)) from None


def read_bytes(path: Path, limit: int = MAX_BYTES) -> bytes:
    """A plain file's bytes. Raises AblateError when it is absent, a link, a pipe, a device, or larger than `limit`."""
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except OSError as error:
        what = "is a link, which is refused" if error.errno == errno.ELOOP else f"cannot be read: {error.strerror}"
        raise AblateError(what, where=str(path)) from None
    with os.fdopen(handle, "rb") as file:
        facts = os.fstat(file.fileno())
        if not stat.S_ISREG(facts.st_mode):
            raise AblateError("is no plain file", where=str(path))
        if facts.st_size > limit:
            raise AblateError(f"is too large ({facts.st_size} bytes, at most {limit})", where=str(path))
        try:
            return file.read(limit)
        except OSError as error:
            raise AblateError(f"cannot be read: {error.strerror}", where=str(path)) from None


def read_json(path: Path, limit: int = MAX_BYTES) -> Any:
    """The value in a JSON file. Raises AblateError on anything that is not small, plain, whole JSON."""
    return parse_json(read_bytes(path, limit), path)


def parse_json(data: bytes, where: Path) -> Any:
    """JSON from bytes; NaN and Infinity are refused as well. Raises AblateError."""
    try:
        return json.loads(data, parse_constant=_refuse_constant)
    except RecursionError:
        raise AblateError("is nested too deep", where=str(where)) from None
    except ValueError as error:  # truncated, garbage, not UTF-8, or an integer of thousands of digits
        raise AblateError(f"is damaged: {error}", where=str(where)) from None


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


def bytes_under(path: Path) -> int:
    """Bytes of a file, or of all plain files under a folder; links are not followed."""
    if not path.is_dir() or path.is_symlink():
        return path.lstat().st_size if path.exists() or path.is_symlink() else 0
    return sum(file.lstat().st_size for file in path.rglob("*") if file.is_file() and not file.is_symlink())


def _write_synced(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")
