"""One .npy file, memory-mapped, after its header has been checked against the size of the file.

A header that lies about its size would otherwise have memory taken, or read past the end; pickled objects are refused.
"""

import math
import mmap
from collections.abc import Callable, Iterator
from pathlib import Path
from tokenize import TokenError

import numpy as np

from ablate.errors import AblateError

CHUNK_BYTES = 1 << 26  # values are checked in pieces of 64 MB, so that a large recording never fills the memory


UNREADABLE = (
    ValueError,
    OSError,
    SyntaxError,
    TokenError,
    TypeError,
    EOFError,
    RecursionError,
    MemoryError,
    OverflowError,
)
"""What numpy raises for headers that are none: it parses them as Python text."""


def map_array(path: Path) -> np.ndarray:
    """The array, read-only. Raises AblateError for a missing, damaged, pickled or lying file."""
    if not path.is_file():
        what = "is a link that leads nowhere" if path.is_symlink() else "is missing"
        what = "is a folder, not a file" if path.is_dir() else what
        raise AblateError(f"{path.name} {what}", where=str(path.parent))
    try:
        shape, fortran, dtype, offset = _header(path)
    except UNREADABLE as error:
        raise AblateError(f"{path.name} is not a .npy file", where=str(path.parent)) from error
    if dtype.hasobject:
        raise AblateError(f"{path.name} holds pickled objects, which are never loaded", where=str(path.parent))
    stated = offset + math.prod(shape) * dtype.itemsize
    size = path.stat().st_size
    if stated != size:
        what = f"{path.name} tells of {stated} bytes (shape {shape}, {dtype}) but has {size}"
        raise AblateError(what, where=str(path.parent), hint="the file is cut short or damaged; write it again")
    if math.prod(shape) == 0:
        return np.zeros(shape, dtype)
    return np.memmap(path, dtype=dtype, mode="r", offset=offset, shape=shape, order="F" if fortran else "C")


def let_go(array: np.ndarray) -> None:
    """Pages of a mapped file that were read stay in the system's cache, but count as this process's memory no more: of
    thirty recordings of an hour all are read once, to split them. Nothing happens with any other array.
    """
    root: object = array
    while isinstance(root, np.ndarray):
        root = root.base
    if isinstance(root, mmap.mmap) and not array.flags.writeable:  # what was changed in a private map would be lost
        root.madvise(mmap.MADV_DONTNEED)


def _header(path: Path) -> tuple[tuple[int, ...], bool, np.dtype, int]:
    """Shape, order, dtype and where the data begin."""
    with path.open("rb") as file:
        version = np.lib.format.read_magic(file)
        readers = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }
        if version not in readers:
            raise ValueError(f"version {version}")
        shape, fortran, dtype = readers[version](file)
        if any(not 0 <= size < 1 << 62 for size in shape) or dtype.itemsize == 0:
            raise ValueError("impossible shape")
        return tuple(int(size) for size in shape), fortran, dtype, file.tell()


def first_place(array: np.ndarray, is_wrong: Callable[[np.ndarray], np.ndarray]) -> tuple[int, ...] | None:
    """Index of the first value that a test finds wrong, looked at in pieces of rows; None where all are right."""
    start = 0
    for rows in pieces(array):
        wrong = is_wrong(rows)
        if wrong.any():
            row, *rest = np.unravel_index(int(np.argmax(wrong)), wrong.shape)
            return (start + int(row), *map(int, rest))
        start += len(rows)
    let_go(array)
    return None


def pieces(array: np.ndarray) -> Iterator[np.ndarray]:
    """Rows, so many at a time that they never fill the memory."""
    step = max(1, CHUNK_BYTES // max(1, array.nbytes // max(1, len(array))))
    for start in range(0, len(array), step):
        yield np.asarray(array[start : start + step])


def not_finite(rows: np.ndarray) -> np.ndarray:
    return ~np.isfinite(rows)


def not_whole(rows: np.ndarray) -> np.ndarray:
    """Infinite, or with a fraction."""
    if rows.dtype.kind in "biu":
        return np.zeros(rows.shape, bool)
    return np.asarray(~(np.isfinite(rows) & (np.floor(rows) == rows)))


def negative(rows: np.ndarray) -> np.ndarray:
    return np.asarray(rows < 0)
