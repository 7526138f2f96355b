"""The trials of one split, and the check that no trial (or subject) is in two splits."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from ablate.data.trials.draw.order import first_of_all
from ablate.errors import AblateError


@runtime_checkable
class FrameSource(Protocol):
    """Frames of trials by row: an array in memory, a memory map, or files that are read when asked for."""

    def __getitem__(self, rows: NDArray[np.int64]) -> NDArray[np.generic]: ...


@runtime_checkable
class KeyedFrames(FrameSource, Protocol):
    """Frames whose names are known without reading them."""

    def keys(self, rows: NDArray[np.int64]) -> NDArray[np.uint64] | None:
        """What names the frames (N, i, f, 2); None where that is not known."""
        ...


@dataclass(frozen=True)
class TrialSplit:
    """Trials in the order in which they are scored.

    trial_ids: name of each trial; segments cut from one recorded trial share it. session: index of the subject.
    eeg: (N, c, t) float32. frames: (N, i, f, ...). frame_mask: (N, i, f). labels: (N, n) class indices, -1 = none; or
    (N, n, k) numbers in their own unit, NaN = none.
    lengths: (N,) intervals that each trial has, where some are shorter than others and padded at their end.
    truth: (N, n, classes) log-probabilities under the process that made the data, where it is known.
    """

    trial_ids: tuple[str, ...]
    session: NDArray[np.int64]
    eeg: NDArray[np.float32]
    frames: FrameSource
    frame_mask: NDArray[np.bool_]
    labels: NDArray[np.int64] | NDArray[np.float64]
    truth: NDArray[np.float64] | None = None
    lengths: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.trial_ids)

    @property
    def valid(self) -> NDArray[np.bool_]:
        """Which labels there are, in their shape."""
        return np.asarray(self.labels >= 0 if self.labels.dtype.kind == "i" else np.isfinite(self.labels))

    @property
    def lasting(self) -> NDArray[np.bool_] | None:
        """Which intervals each trial has (N, i); None where all have all."""
        return None if self.lengths is None else np.arange(self.frame_mask.shape[1]) < self.lengths[:, None]

    @property
    def recorded(self) -> NDArray[np.bool_]:
        """Which EEG samples each trial has (N, t)."""
        count = self.eeg.shape[2]
        if (lasting := self.lasting) is None:
            return np.ones((len(self), count), dtype=np.bool_)
        return np.repeat(lasting, count // lasting.shape[1], axis=1)

    def first(self, share: float) -> "TrialSplit":
        """The first part of the trials of every subject, at least one of each."""
        kept = first_of_all(range(len(self)), round(share * len(self)), lambda row: int(self.session[row]))
        rows = np.array(kept, dtype=np.int64)
        return replace(
            self,
            trial_ids=tuple(self.trial_ids[row] for row in kept),
            session=self.session[rows],
            eeg=self.eeg[rows],
            frames=Rows(self.frames, rows),
            frame_mask=self.frame_mask[rows],
            labels=self.labels[rows],
            truth=None if self.truth is None else self.truth[rows],
            lengths=None if self.lengths is None else self.lengths[rows],
        )

    def with_shuffled_video(self, seed: int) -> "TrialSplit":
        """Every trial with the frames of another one: one random cycle through all trials, so none keeps its own."""
        if len(self) < 2:
            return self
        cycle = np.random.default_rng([seed, len(self)]).permutation(len(self))
        other = np.empty_like(cycle)
        other[cycle] = np.roll(cycle, 1)
        return replace(self, frames=Rows(self.frames, other), frame_mask=self.frame_mask[other])


@dataclass(frozen=True)
class Rows:
    """Some rows of a frame source, in an order of their own."""

    source: FrameSource
    index: NDArray[np.int64]

    def __getitem__(self, rows: NDArray[np.int64]) -> NDArray[np.generic]:
        return self.source[self.index[rows]]


def known_keys(source: FrameSource, rows: NDArray[np.int64]) -> NDArray[np.uint64] | None:
    """What names the frames of rows where the source tells it without reading them."""
    if isinstance(source, Rows):
        return known_keys(source.source, source.index[rows])
    return source.keys(rows) if isinstance(source, KeyedFrames) else None


def absent_classes(splits: Mapping[str, TrialSplit], classes: Sequence[str]) -> Iterator[str]:
    """Which classes a split does not hold, and what that means."""
    meaning = {
        "train": "they cannot be learned",
        "validation": "they have no part in stopping and choosing",
        "test": "no score says anything of them",
    }
    for name, split in splits.items():
        held = set(np.unique(split.labels).tolist())
        missing = [f"`{label}`" for index, label in enumerate(classes) if index not in held]
        if missing:
            yield f"the {name} split holds no {', '.join(missing)}: {meaning[name]}"


def check_overlap(splits: dict[str, TrialSplit], by: Literal["trial", "subject"]) -> None:
    """Raises AblateError if a trial, or with `by="subject"` a subject, is in two splits.

    Segments of one trial in train and test are the source of published accuracies of 99 %.
    """
    names = list(splits)
    for a, first in enumerate(names):
        for second in names[a + 1 :]:
            shared = sorted(set(splits[first].trial_ids) & set(splits[second].trial_ids))
            if shared:
                raise AblateError(
                    f"{len(shared)} trials are in both {first} and {second} (the first: `{shared[0]}`)",
                    where="data.split",
                    hint="give all segments of a recorded trial one trial_id, and split by trial or by subject",
                )
            subjects = set(splits[first].session.tolist()) & set(splits[second].session.tolist())
            if by == "subject" and subjects:
                raise AblateError(
                    f"{len(subjects)} subjects are in both {first} and {second}",
                    where="data.split",
                    hint="with `split: subject` all trials of a subject belong to one split",
                )
