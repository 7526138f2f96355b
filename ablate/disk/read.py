"""Small files read with a bound, and JSON.

What is read here may come from someone else: a file is refused when it is too large, no plain file (a pipe would hang
the reader, a link could lead out of the folder), nested too deep, or not JSON.
"""

import errno
import gc
import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

from pydantic_core import from_json

from ablate.errors import AblateError

Json: TypeAlias = dict[str, Any]
"""A JSON object. What its values are is known to whoever wrote it."""

MAX_BYTES = 256 * 2**20
"""No record, manifest or learning curve comes near this."""


def json_line(value: object, where: Path) -> bytes:
    """One line of JSON with sorted keys and no white space. Raises AblateError."""
    try:
        text = json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise AblateError(f"cannot be written as JSON: {error}", where=str(where)) from None
    return text.encode() + b"\n"


def json_text(value: object, where: Path) -> str:
    """JSON with sorted keys; NaN is refused, since other readers choke on it. Raises AblateError."""
    try:
        return json.dumps(value, sort_keys=True, indent=1, allow_nan=False) + "\n"
    except (TypeError, ValueError, RecursionError) as error:
        raise AblateError(f"cannot be written as JSON: {error}", where=str(where)) from None


def read_bytes(path: Path | str, limit: int = MAX_BYTES) -> bytes:
    """A plain file's bytes. Raises AblateError when it is absent, a link, a pipe, a device, or larger than `limit`."""
    data = read_if_there(path, limit)
    if data is None:
        raise AblateError(f"cannot be read: {os.strerror(errno.ENOENT)}", where=str(path))
    return data


def read_if_there(path: Path | str, limit: int = MAX_BYTES) -> bytes | None:
    """The same, None where there is no such file. Raises AblateError.

    By the system's own calls, four of them: a buffered file makes ten, which of a study's 30,000 files took 2 s.
    """
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    except OSError as error:
        what = "is a link, which is refused" if error.errno == errno.ELOOP else f"cannot be read: {error.strerror}"
        raise AblateError(what, where=str(path)) from None
    try:
        facts = os.fstat(handle)
        if not stat.S_ISREG(facts.st_mode):
            raise AblateError("is no plain file", where=str(path))
        if facts.st_size > limit:
            raise AblateError(f"is too large ({facts.st_size} bytes, at most {limit})", where=str(path))
        data = part = os.read(handle, facts.st_size)
        while part and len(data) < facts.st_size:  # more than 2 GiB, or a network's file, comes in pieces
            part = os.read(handle, facts.st_size - len(data))
            data += part
        return data
    except OSError as error:
        raise AblateError(f"cannot be read: {error.strerror}", where=str(path)) from None
    finally:
        os.close(handle)


def read_json(path: Path | str, limit: int = MAX_BYTES) -> Any:  # as json.loads: the reader checks what it finds
    """The value in a JSON file. Raises AblateError on anything that is not small, plain, whole JSON."""
    return parse_json(read_bytes(path, limit), path)


def parse_json(data: bytes, where: Path | str) -> Any:  # the same
    """JSON from bytes; NaN and Infinity are refused as well. Raises AblateError."""
    try:
        return from_json(data, allow_inf_nan=False)  # half of the time of json.loads, which has the better words
    except ValueError:
        pass
    try:
        return json.loads(data, parse_constant=_refuse_constant)
    except RecursionError:
        raise AblateError("is nested too deep", where=str(where)) from None
    except ValueError as error:  # truncated, garbage, not UTF-8, or an integer of thousands of digits
        raise AblateError(f"is damaged: {error}", where=str(where)) from None


def dumped(record: object) -> str:
    """JSON as every document of the program is written."""
    return json.dumps(record, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def parse_lines(data: bytes, where: Path | str, word: bytes = b"") -> list[Any]:  # the same
    """JSON, one value a line; empty lines are left out, and lines without `word`. Raises AblateError."""
    lines = [line for line in data.splitlines() if word in line and line.strip()]
    try:  # one call for all lines, each in brackets of its own, so that `1, 2` or half a value is none
        rows = [row for (row,) in from_json(b"[[" + b"],[".join(lines) + b"]]", allow_inf_nan=False)] if lines else []
        if len(rows) == len(lines):
            return rows
    except ValueError:
        pass
    return [parse_json(line, where) for line in lines]


@contextmanager
def without_collection(*, to_the_end: bool = False) -> Iterator[None]:
    """No garbage collection: with thousands of new records and no garbage it takes half of the time.

    to_the_end: the process ends soon after, so that what was made is never looked through.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if to_the_end:
            gc.freeze()
        if was_on:
            gc.enable()


def bytes_under(path: Path) -> int:
    """Bytes of a file, or of all plain files under a folder; links are not followed."""
    if not path.is_dir() or path.is_symlink():
        return path.lstat().st_size if path.exists() or path.is_symlink() else 0
    return sum(file.lstat().st_size for file in path.rglob("*") if file.is_file() and not file.is_symlink())


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON")
