"""Features of frozen frame encoders, kept by content: once computed, for all variants, seeds and processes.

A key is 128 bits of a frame's bytes; a folder belongs to one encoder (weights, preprocessing, pooling). Features are
float16 and memory-mapped, and are on disk as soon as they are computed: a kill loses the images of one forward pass.
A process that is about to compute frames locks them (`claims`), so that others wait for its features instead of
computing them too.
"""

import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ablate.disk.cache import CACHE_VARIABLE
from ablate.disk.lock import locked
from ablate.errors import AblateError
from ablate.model.video.cache.shard import MERGE_AT, SMALL, Rows, map_shard, merge_shards, row_type, write_shard

CACHE_HINT = f"set {CACHE_VARIABLE} to a folder"
STRIPES = 16  # locks of a cache, so that processes with other batches compute side by side


class FeatureCache:
    """The features of one encoder. `width`: numbers a frame."""

    def __init__(self, folder: Path, width: int):
        self.folder, self.width = folder, width
        self._row = row_type(width)
        self._shards: dict[str, Rows] = {}
        self._unreadable: set[str] = set()
        self._where: dict[tuple[int, int], tuple[str, int]] = {}

    def __len__(self) -> int:
        """Features known to this process."""
        return len(self._where)

    def get(self, keys: NDArray[np.uint64]) -> tuple[NDArray[np.float16], NDArray[np.bool_]]:
        """Features (v, width) of the keys (v, 2), and which were found; the others' rows are zero."""
        values, found = self._look_up(keys)
        if not found.all() and self._read_new_shards():  # another process may have written them meanwhile
            return self._look_up(keys)
        return values, found

    def put(self, keys: NDArray[np.uint64], values: NDArray[np.float16]) -> None:
        """Writes features as one more shard."""
        if len(keys) == 0:
            return
        rows = np.zeros(len(keys), dtype=self._row)
        rows["key"], rows["value"] = keys, values
        try:
            self._take(write_shard(self.folder, rows, durable=len(rows) >= SMALL))
            if sum(len(shard) < SMALL for shard in self._shards.values()) > MERGE_AT:
                merge_shards(self.folder, sorted(self.folder.glob("*.npy")), self._row)
                self._read_new_shards()
        except OSError as error:
            raise AblateError(
                f"features cannot be kept: {error}", where=str(self.folder), hint=f"{CACHE_HINT} that has room"
            ) from error

    def claims(self, keys: NDArray[np.uint64], at_once: int) -> Iterator[NDArray[np.int64]]:
        """Rows of `keys` (all different) whose features are missing, at most `at_once` together, locked meanwhile.

        What other processes compute in the meantime is left out: the caller waits for it here.
        """
        stripe = (keys[:, 0] % STRIPES).astype(np.int64)
        left = np.roll(np.unique(stripe), os.getpid() % STRIPES).tolist()  # each process begins elsewhere
        while left:
            with ExitStack() as locks:
                held: list[int] = []
                for one in left:
                    if self._lock(locks, one, wait=False):
                        held.append(one)
                    if np.isin(stripe, held).sum() >= at_once:
                        break
                if not held:  # never waits while it holds a lock: no two processes wait for each other
                    self._lock(locks, left[0], wait=True)
                    held = left[:1]
                rows = np.flatnonzero(np.isin(stripe, held))
                missing = rows[~self.get(keys[rows])[1]]
                for start in range(0, len(missing), at_once):
                    yield missing[start : start + at_once]
            left = [one for one in left if one not in held]

    def _lock(self, locks: ExitStack, stripe: int, *, wait: bool) -> bool:
        try:
            return locks.enter_context(locked(self.folder / f".lock{stripe:02d}", wait=wait))
        except OSError as error:
            raise AblateError(
                f"features cannot be kept: {error}", where=str(self.folder), hint=f"{CACHE_HINT} that can be written"
            ) from error

    def _look_up(self, keys: NDArray[np.uint64]) -> tuple[NDArray[np.float16], NDArray[np.bool_]]:
        values = np.zeros((len(keys), self.width), dtype=np.float16)
        found = np.zeros(len(keys), dtype=np.bool_)
        for place, pair in enumerate(keys.tolist()):
            known = self._where.get((pair[0], pair[1]))
            if known is not None:
                values[place], found[place] = self._shards[known[0]][known[1]]["value"], True
        return values, found

    def _read_new_shards(self) -> bool:
        """Maps shards that were not there before; true if there were any. Lets go of those that were merged."""
        there = {path.name: path for path in sorted(self.folder.glob("*.npy"))}
        new = [path for name, path in there.items() if name not in self._shards and name not in self._unreadable]
        taken = [self._take(path) for path in new]
        if any(taken) and self._shards.keys() - there.keys():
            in_use = {name for name, _ in self._where.values()}
            for name in self._shards.keys() - there.keys() - in_use:
                del self._shards[name]
        return any(taken)

    def _take(self, path: Path) -> bool:
        """Maps a shard; a merged one takes the place of those that it was made of."""
        rows = map_shard(path, self._row)
        if rows is None:
            self._unreadable.add(path.name)
            return False
        self._shards[path.name] = rows
        for row, (a, b) in enumerate(rows["key"].tolist()):
            self._where[a, b] = (path.name, row)
        return True
