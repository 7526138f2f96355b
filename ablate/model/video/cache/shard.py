"""The files of a feature cache: one a shard, (key, value) rows, whole or not there.

A shard is written beside its place and moved in by one rename, so a reader or a kill never meets half of one. A file
that cannot be read (a disk that filled up, a power cut) is passed over: its features are computed again. Many small
shards are merged into one now and then: the merged one is in place before the small ones go, so at no moment is a
feature lost.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

import numpy as np

from ablate.disk.lock import locked
from ablate.disk.whole import whole_file

Rows: TypeAlias = np.ndarray  # structured: fields key and value
RowType: TypeAlias = np.dtype

SMALL = 4096  # rows: shards with fewer are merged
MERGE_AT = 64  # small shards: bounds the open files of every reader


def row_type(width: int) -> RowType:
    """128 bits of key, then `width` numbers."""
    return np.dtype([("key", "<u8", 2), ("value", "<f2", width)])


def write_shard(folder: Path, rows: Rows, *, durable: bool) -> Path:
    """Adds a shard, named by its keys. durable: also proof against a power cut, which costs milliseconds."""
    folder.mkdir(parents=True, exist_ok=True)
    place = folder / (hashlib.blake2b(rows["key"].tobytes(), digest_size=12).hexdigest() + ".npy")
    with whole_file(place, durable=durable) as file:
        np.save(file, rows)
    return place


def map_shard(file: Path, rows: RowType) -> Rows | None:
    """The shard memory-mapped; None if it vanished meanwhile or is no whole shard of this kind."""
    try:
        found = np.load(file, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return found if found.dtype == rows and found.ndim == 1 else None


def merge_shards(folder: Path, files: Sequence[Path], rows: RowType) -> None:
    """One shard in the place of many small ones, if nobody else is at it."""
    with locked(folder / ".merging", wait=False) as held:
        if not held:
            return
        small = [(file, found) for file in files if (found := map_shard(file, rows)) is not None and len(found) < SMALL]
        if len(small) < MERGE_AT:
            return
        together = np.concatenate([found for _, found in small])
        _, first = np.unique(together["key"], axis=0, return_index=True)
        merged = write_shard(folder, together[np.sort(first)], durable=True)
        for file, _ in small:
            if file != merged:
                file.unlink(missing_ok=True)
