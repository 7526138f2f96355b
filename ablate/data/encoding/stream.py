"""The endless order of training batches of a seed: batch i is a function of (seed, i) alone."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol, runtime_checkable

import numpy as np

from ablate.contract import EncodingBatch, EncodingSpec
from ablate.data.encoding.config import EncodingDataConfig
from ablate.data.recording import Recording
from ablate.disk.read import Json
from ablate.errors import AblateError

Asked = tuple[int, np.ndarray, np.ndarray | None]
"""A session, the newest frame of each window (b,), and which of its bins count (b, n); all, where it is not given."""


@runtime_checkable
class WindowsByIndex(Protocol):
    """What is asked of the data set. training_ends: newest frames of the windows that may train, a session each."""

    recordings: tuple[Recording, ...]
    config: EncodingDataConfig
    spec: EncodingSpec
    training_ends: tuple[np.ndarray, ...]

    def batch(self, asked: Sequence[Asked]) -> EncodingBatch: ...


class TrainingStream:
    """Batches 0, 1, 2, ... of a seed. Iterating moves on; the state is the number of the next batch."""

    def __init__(self, data: WindowsByIndex, *, seed: int, batch_size: int):
        self._data, self._seed, self._batch_size = data, seed, batch_size
        self._next = 0

    def __iter__(self) -> Iterator[EncodingBatch]:
        return self

    def __next__(self) -> EncodingBatch:
        batch = self.batch(self._next)
        self._next += 1
        return batch

    def batch(self, number: int) -> EncodingBatch:
        """Any batch by its number."""
        data = self._data
        random = np.random.Generator(np.random.Philox(np.random.SeedSequence([self._seed, number])))
        sessions = min(data.config.sessions_per_batch, len(data.recordings), self._batch_size)
        drawn = np.sort(random.choice(len(data.recordings), sessions, replace=False))
        rows, more = divmod(self._batch_size, sessions)
        asked: list[Asked] = []
        for place, session in enumerate(drawn.tolist()):
            ends = data.training_ends[session]
            chosen = ends[random.integers(0, len(ends), rows + (place < more))]
            asked.append((session, chosen, None))
        return data.batch(asked)

    def state_dict(self) -> Json:
        return {"next": self._next, "seed": self._seed, "batch_size": self._batch_size}

    def load_state_dict(self, state: Mapping[str, object]) -> None:
        mine = self.state_dict()
        for name in ("seed", "batch_size"):
            if state[name] != mine[name]:
                what = f"the checkpoint's {name} is {state[name]}, this run's is {mine[name]}"
                raise AblateError(what, hint="a run can only be taken up with the settings that it began with")
        number = state["next"]
        assert isinstance(number, int), "as `state_dict` gave it"
        self._next = number
