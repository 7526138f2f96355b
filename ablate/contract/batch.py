"""What flows from the data to a model, step by step: batches, their targets, and the order in which they come."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from numpy.typing import NDArray
from torch import Tensor

from ablate.contract.past import PastSpikes
from ablate.contract.spec import DataSpec, EncodingSpec, FusionSpec


@dataclass
class Target:
    """What one session's rows of a batch are scored against.

    spikes: values (b, n, u) counts, valid (b, n, u); the scored entries are the units, `entry` is None.
    labels: values (b, n) class indices, valid (b, n); the scored entries are trials, `entry` (b,) indexes them in
    the session.
    values: numbers (b, n, k), z-scored by the training split, valid (b, n, k); entries as for labels.
    `newest` (b,) is the newest bin of each row where the rows are stretches of a recording.
    """

    session: int
    values: Tensor
    valid: Tensor
    entry: Int[Tensor, " b"] | None = None
    newest: Int[Tensor, " b"] | None = None

    def rows(self, start: int, stop: int) -> "Target":
        """The target of some of the rows."""
        entry, newest = (None if part is None else part[start:stop] for part in (self.entry, self.newest))
        return Target(self.session, self.values[start:stop], self.valid[start:stop], entry, newest)


@runtime_checkable
class Batch(Protocol):
    """What the loop needs to know of a batch. `model(batch)` gives one prediction for each target, in order."""

    @property
    def targets(self) -> tuple[Target, ...]: ...

    @property
    def size(self) -> int: ...

    def cut(self, parts: int) -> "tuple[Batch, ...]":
        """The same rows in the same order as that many smaller batches of about one size."""
        ...


def cuts(sizes: Sequence[int], parts: int) -> Iterator[list[tuple[int, int, int]]]:
    """Rows of groups of these sizes, cut into parts: for each part its (group, first row, last row + 1)."""
    total, starts = sum(sizes), [0, *accumulate(sizes)]
    parts = min(parts, total)
    for part in range(parts):
        first, last = total * part // parts, total * (part + 1) // parts
        within = [(max(first - start, 0), min(last - start, size)) for start, size in zip(starts, sizes, strict=False)]
        yield [(group, begin, end) for group, (begin, end) in enumerate(within) if begin < end]


@dataclass
class SessionWindows:
    """Windows of one recording. `behavior` of frame t was measured before bin t; it is None where a recording has
    none. `past`: spikes before each scored bin; None where the data cannot give them.
    """

    session: int
    stimulus: Float[Tensor, "b 1 t h w"]
    behavior: Float[Tensor, "b t k"] | None
    target: Target
    past: PastSpikes | None = None

    def rows(self, start: int, stop: int) -> "SessionWindows":
        """Some of the windows."""
        behavior = None if self.behavior is None else self.behavior[start:stop]
        past = None if self.past is None else self.past.rows(start, stop)
        return SessionWindows(self.session, self.stimulus[start:stop], behavior, self.target.rows(start, stop), past)


@dataclass
class EncodingBatch:
    """Windows of one or more sessions; `lags` are the scored bins counted back from the newest frame, oldest first."""

    sessions: tuple[SessionWindows, ...]
    lags: tuple[int, ...]

    @property
    def targets(self) -> tuple[Target, ...]:
        return tuple(windows.target for windows in self.sessions)

    @property
    def size(self) -> int:
        return sum(windows.stimulus.shape[0] for windows in self.sessions)

    def cut(self, parts: int) -> "tuple[EncodingBatch, ...]":
        sizes = [windows.stimulus.shape[0] for windows in self.sessions]
        return tuple(
            EncodingBatch(tuple(self.sessions[group].rows(start, stop) for group, start, stop in part), self.lags)
            for part in cuts(sizes, parts)
        )


@dataclass
class FusionBatch:
    """Trials of EEG and video. Rows are grouped by session, in the order of `targets`.

    eeg: z-scored per channel by the training split; `samples` = i * samples of one interval.
    shown: the frames, features (b, i, f, d) or pixels (b, i, f, 3, h, w) of 0 to 255 (uint8 or float, RGB), or what
        reads them when `frames` is first asked for, as from films. What lies where `frame_mask` is False is arbitrary
        and may be NaN: only the mask tells a pad.
    lasting: which intervals each trial has, where some are shorter than the longest: they are padded at their end, in
        EEG and frames alike, and what lies in the pads is arbitrary and may be NaN. None: every trial has all of them.
    frame_keys: 128-bit content hash of each frame as two integers, where the data knows it; the feature cache looks
        frames up by it instead of hashing pixels at every step.
    """

    eeg: Float[Tensor, "b c samples"]
    shown: Tensor | Callable[[], Tensor]
    frame_mask: Bool[Tensor, "b i f"]
    targets: tuple[Target, ...]
    frame_keys: Int[Tensor, "b i f 2"] | None = None
    lasting: Bool[Tensor, "b i"] | None = None

    @property
    def frames(self) -> Tensor:
        """The frames; read now if nobody has asked for them yet."""
        if not isinstance(self.shown, Tensor):
            self.shown = self.shown()
        return self.shown

    @property
    def size(self) -> int:
        return self.eeg.shape[0]

    def _some(self, here: slice) -> Tensor | Callable[[], Tensor]:
        """Frames of some rows, unread as long as the batch's own are."""
        return self.shown[here] if isinstance(self.shown, Tensor) else lambda: self.frames[here]

    def cut(self, parts: int) -> "tuple[FusionBatch, ...]":
        batches, done = [], 0
        for part in cuts([len(target.values) for target in self.targets], parts):
            targets = tuple(self.targets[group].rows(start, stop) for group, start, stop in part)
            here = slice(done, done + sum(len(target.values) for target in targets))
            keys = None if self.frame_keys is None else self.frame_keys[here]
            lasting = None if self.lasting is None else self.lasting[here]
            batches.append(FusionBatch(self.eeg[here], self._some(here), self.frame_mask[here], targets, keys, lasting))
            done = here.stop
        return tuple(batches)


def frame_key(frame: NDArray[np.generic]) -> NDArray[np.uint64]:
    """128 bits of a frame's content, as two integers: its bytes, shape and type."""
    content = hashlib.blake2b(digest_size=16)
    content.update(f"{frame.shape} {frame.dtype}".encode())
    content.update(np.ascontiguousarray(frame).tobytes())
    return np.frombuffer(content.digest(), dtype="<u8")


@runtime_checkable
class BatchStream(Protocol):
    """An endless, seeded order of training batches that can be stopped and taken up again exactly."""

    def __next__(self) -> Batch: ...

    def state_dict(self) -> dict[str, object]:
        """Plain values and tensors: what a checkpoint keeps."""
        ...

    def load_state_dict(self, state: Mapping[str, object]) -> None: ...


def example_batch(
    spec: DataSpec, device: torch.device, *, rows: int = 1, sessions: int = 1
) -> EncodingBatch | FusionBatch:
    """A batch without content, as this data would give it: what costs and shapes are counted on.

    Every bin, frame and label is valid. rows: windows or trials, of an encoding study those of all its sessions (the
    first ones), which have equal parts of them.
    """
    if isinstance(spec, FusionSpec):
        return _trials(spec, device, rows)
    number = min(sessions, len(spec.sessions), rows)
    each, more = divmod(rows, number)
    windows = tuple(_windows(spec, device, session, each + (session < more)) for session in range(number))
    return EncodingBatch(windows, spec.lags)


def _windows(spec: EncodingSpec, device: torch.device, number: int, rows: int) -> SessionWindows:
    session, lags = spec.sessions[number], spec.lags
    scored = (rows, len(lags), session.units)

    def nothing(bins: Int[Tensor, "b n"], count: int) -> Tensor:
        return torch.zeros(*bins.shape, count, session.units, device=device)

    return SessionWindows(
        session=number,
        stimulus=torch.zeros(rows, 1, spec.window, session.height, session.width, device=device),
        behavior=torch.zeros(rows, spec.window, session.behaviors, device=device) if session.behaviors else None,
        target=Target(number, torch.zeros(scored, device=device), torch.ones(scored, dtype=torch.bool, device=device)),
        past=PastSpikes(torch.zeros(scored[:2], dtype=torch.int64, device=device), nothing),
    )


def _trials(spec: FusionSpec, device: torch.device, rows: int) -> FusionBatch:
    count = spec.intervals if spec.labels_per == "interval" else 1
    labels = (rows, count, len(spec.targets)) if spec.targets else (rows, count)
    return FusionBatch(
        eeg=torch.zeros(rows, spec.eeg_channels, spec.eeg_samples, device=device),
        shown=torch.zeros(rows, spec.intervals, spec.frames, *spec.frame_shape, device=device),
        frame_mask=torch.ones(rows, spec.intervals, spec.frames, dtype=torch.bool, device=device),
        targets=(Target(0, torch.zeros(labels, device=device), torch.ones(labels, device=device).bool()),),
    )
