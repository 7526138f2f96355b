"""Takes checked trials, gives a split of them: EEG in memory, frames that are read when a batch asks for them."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import torch
from numpy.typing import NDArray

from ablate.data.trials.check.walk import Checked, TrialFacts
from ablate.data.trials.layout.table import TrialRow, filled, padded
from ablate.data.trials.opened.split import TrialSplit


def split_of(checked: Checked, rows: Sequence[TrialRow], facts: Mapping[str, TrialFacts]) -> TrialSplit:
    """The rows as they are scored. facts: by trial."""
    table = checked.table
    subjects, labels = list(table.subjects), list(table.labels)
    return TrialSplit(
        trial_ids=tuple(row.trial_id for row in rows),
        session=np.array([subjects.index(row.subject) for row in rows]),
        eeg=np.stack([checked.signal.read(row) for row in rows]),
        frames=FilmOfRows(tuple(rows), table.intervals, table.frames),
        frame_mask=np.stack([filled(facts[row.trial_id].mask, table.intervals, table.frames) for row in rows]),
        labels=rated([row.values for row in rows])
        if table.targets
        else labelled([[labels.index(label) if label else -1 for label in row.own_labels] for row in rows]),
        lengths=np.array([table.intervals_of(row) for row in rows]) if table.unequal else None,
    )


def labelled(rows: Sequence[Sequence[int]]) -> NDArray[np.int64]:
    """Labels (N, n); a shorter trial has none (-1) beyond its end."""
    out = np.full((len(rows), max(map(len, rows))), -1, dtype=np.int64)
    for place, row in enumerate(rows):
        out[place, : len(row)] = row
    return out


def rated(rows: Sequence[Sequence[Sequence[float]]]) -> NDArray[np.float64]:
    """Numbers (N, n, k); nothing is rated (NaN) beyond the end of a shorter trial."""
    out = np.full((len(rows), max(map(len, rows)), len(rows[0][0])), np.nan)
    for place, row in enumerate(rows):
        out[place, : len(row)] = row
    return out


class FilmOfRows:
    """The frames of trials, read from their files when a batch asks for them: films of several trials at once, on as
    many threads as this process was given (PyAV decodes without Python's lock), each by itself on one."""

    def __init__(self, rows: tuple[TrialRow, ...], intervals: int, most: int):
        self.rows, self.intervals, self.most = rows, intervals, most
        self._keys: dict[int, NDArray[np.uint64]] = {}

    def __getitem__(self, rows: NDArray[np.int64]) -> NDArray[np.generic]:
        threads = min(torch.get_num_threads(), len(rows))
        if threads < 2:
            return np.stack([self._read(row) for row in rows.tolist()])
        with ThreadPoolExecutor(threads) as pool:
            return np.stack(list(pool.map(self._read, rows.tolist())))

    def _read(self, row: int) -> NDArray[np.generic]:
        return padded(self.rows[row].frames()[0], self.intervals, self.most)

    def keys(self, rows: NDArray[np.int64]) -> NDArray[np.uint64] | None:
        found = []
        for row in rows:
            if (keys := self.rows[row].frame_keys) is None:
                return None
            if row not in self._keys:
                self._keys[row] = filled(keys(), self.intervals, self.most)  # type: ignore[assignment]
            found.append(self._keys[row])
        return np.stack(found)
