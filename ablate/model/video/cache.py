"""Features of frozen frame encoders, kept by content: once computed, for all variants and seeds.

A key is 128 bits of a frame's bytes; a folder belongs to one encoder (weights, preprocessing, pooling). Features are
float16 in shards, each one file of (key, value) rows, memory-mapped. A shard is written beside its place and moved
in by one rename: readers see it whole or not at all, and writers at the same time only add shards, whose names never
clash. A kill loses what was not yet written; it costs that much to compute again, nothing else.
"""

import hashlib
import os
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

WRITE_AT = 1024  # frames kept in memory before a shard is written


class FeatureCache:
    """The features of one encoder. `width`: numbers a frame."""

    def __init__(self, folder: Path, width: int):
        self.folder, self.width = folder, width
        self._row = np.dtype([("key", "<u8", 2), ("value", "<f2", width)])
        self._shards: dict[str, NDArray[np.void]] = {}
        self._where: dict[tuple[int, int], tuple[str, int]] = {}
        self._waiting: dict[tuple[int, int], NDArray[np.float16]] = {}

    def __len__(self) -> int:
        return len(self._where) + len(self._waiting)

    def get(self, keys: NDArray[np.uint64]) -> tuple[NDArray[np.float16], NDArray[np.bool_]]:
        """Features (v, width) of the keys (v, 2), and which were found; the others' rows are zero."""
        values, found = self._look_up(keys)
        if not found.all() and self._read_new_shards():  # another process may have written them meanwhile
            return self._look_up(keys)
        return values, found

    def put(self, keys: NDArray[np.uint64], values: NDArray[np.float16]) -> None:
        """Keeps features; writes a shard when enough have come together."""
        for key, value in zip(keys.tolist(), values, strict=True):
            self._waiting[key[0], key[1]] = value
        if len(self._waiting) >= WRITE_AT:
            self.flush()

    def flush(self) -> None:
        """Writes what waits in memory as one more shard."""
        if not self._waiting:
            return
        rows = np.zeros(len(self._waiting), dtype=self._row)
        rows["key"] = np.array(list(self._waiting), dtype=np.uint64)
        rows["value"] = np.stack(list(self._waiting.values()))
        name = hashlib.blake2b(rows["key"].tobytes(), digest_size=12).hexdigest() + ".npy"
        self.folder.mkdir(parents=True, exist_ok=True)
        handle, beside = tempfile.mkstemp(dir=self.folder, prefix=".", suffix=".partial")
        with os.fdopen(handle, "wb") as file:
            np.save(file, rows)
            file.flush()
            os.fsync(file.fileno())
        os.replace(beside, self.folder / name)
        self._waiting.clear()
        self._read_new_shards()

    def _look_up(self, keys: NDArray[np.uint64]) -> tuple[NDArray[np.float16], NDArray[np.bool_]]:
        values = np.zeros((len(keys), self.width), dtype=np.float16)
        found = np.zeros(len(keys), dtype=np.bool_)
        for place, pair in enumerate(keys.tolist()):
            key = (pair[0], pair[1])
            if key in self._where:
                name, row = self._where[key]
                values[place], found[place] = self._shards[name][row]["value"], True
            elif key in self._waiting:
                values[place], found[place] = self._waiting[key], True
        return values, found

    def _read_new_shards(self) -> bool:
        """Maps shards that were not there before; true if there were any."""
        new = [path for path in sorted(self.folder.glob("*.npy")) if path.name not in self._shards]
        for path in new:
            rows = np.load(path, mmap_mode="r")
            self._shards[path.name] = rows
            for row, (a, b) in enumerate(rows["key"].tolist()):
                self._where.setdefault((a, b), (path.name, row))
        return bool(new)


def cache_folder() -> Path:
    """Where all caches lie: ABLATE_CACHE, or `ablate` under the user's cache folder."""
    named = os.environ.get("ABLATE_CACHE")
    return Path(named) if named else Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "ablate"
