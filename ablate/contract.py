"""What flows between the rooms: shape letters, batches, and the Protocol of each part and of a data set.

Shape letters, the same everywhere: `b` batch, `t` frame (oldest first), `c` channel, `h w` row and column, `k`
behaviour variable, `s` spatial token, `d` token width, `u` unit, `n` scored bin; in fusion models also `i` interval,
`f` frame in
an interval, `e` EEG token, and `n` latent.

Units: rates are expected spikes a bin; log-rates their natural logarithm; behaviour is z-scored by the training split;
stimulus is normalised by the training split's mean and standard deviation; places on the stimulus run over [-1, 1].
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Literal, Protocol, runtime_checkable

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from numpy.typing import NDArray
from torch import Tensor, nn

Split = Literal["validation", "test"]

NULL_RATE_FLOOR = 1e-4
"""Least rate (expected spikes a bin) of the score's null and of `attainable`: a unit without a spike in the training
split would otherwise have a null of zero and an infinite gain. One spike in 10,000 bins."""


# ------------------------------------------------------------------ what a model must know before it is built


@dataclass(frozen=True)
class SessionSpec:
    """One recording as a model sees it.

    mean_rate: expected spikes a bin of each unit in the training split (length `units`): the null of the score and the
        start of the readout's bias.
    """

    name: str
    height: int
    width: int
    units: int
    behaviors: int
    bin_rate_hz: float
    mean_rate: tuple[float, ...]


@dataclass(frozen=True)
class EncodingSpec:
    """The data of an encoding study: video and behaviour in, spike counts out.

    window: frames a model is given at once. score_every: frames between two supervised bins. warmup: frames at the old
    end of a window in which no bin is scored.
    """

    sessions: tuple[SessionSpec, ...]
    window: int
    score_every: int
    warmup: int
    task: Literal["spikes"] = "spikes"

    @property
    def lags(self) -> tuple[int, ...]:
        """Scored bins as frames back from the newest frame of a window, oldest first: (..., 16, 8, 0)."""
        newest_first = range(0, self.window - self.warmup, self.score_every)
        return tuple(reversed(newest_first))


@dataclass(frozen=True)
class FusionSpec:
    """The data of a fusion study: EEG and video in, a label for each trial or interval out.

    frame_shape: (3, h, w) pixels or (d,) features. class_prior: training-split frequency of each class. labels_per:
    what one label belongs to. session_names: subjects, in the order of `Target.session`.
    """

    session_names: tuple[str, ...]
    intervals: int
    frames: int
    frame_shape: tuple[int, ...]
    eeg_channels: int
    eeg_samples: int
    classes: int
    class_prior: tuple[float, ...]
    labels_per: Literal["trial", "interval"]
    task: Literal["labels"] = "labels"


DataSpec = EncodingSpec | FusionSpec


# ------------------------------------------------------------------ batches


@dataclass
class Target:
    """What one session's rows of a batch are scored against.

    spikes: values (b, n, u) counts, valid (b, n, u); the scored entries are the units, `entry` is None.
    labels: values (b, n) class indices, valid (b, n); the scored entries are trials, `entry` (b,) indexes them in
    the session. `newest` (b,) is the newest bin of each row where the rows are stretches of a recording.
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
    none.
    """

    session: int
    stimulus: Float[Tensor, "b 1 t h w"]
    behavior: Float[Tensor, "b t k"] | None
    target: Target

    def rows(self, start: int, stop: int) -> "SessionWindows":
        """Some of the windows."""
        behavior = None if self.behavior is None else self.behavior[start:stop]
        return SessionWindows(self.session, self.stimulus[start:stop], behavior, self.target.rows(start, stop))


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
    frames: features (b, i, f, d), or pixels (b, i, f, 3, h, w) of 0 to 255 (uint8 or float, RGB). What lies where
        `frame_mask` is False is arbitrary and may be NaN: only the mask tells a pad.
    frame_keys: 128-bit content hash of each frame as two integers, where the data knows it; the feature cache looks
        frames up by it instead of hashing pixels at every step.
    """

    eeg: Float[Tensor, "b c samples"]
    frames: Tensor
    frame_mask: Bool[Tensor, "b i f"]
    targets: tuple[Target, ...]
    frame_keys: Int[Tensor, "b i f 2"] | None = None

    @property
    def size(self) -> int:
        return self.eeg.shape[0]

    def cut(self, parts: int) -> "tuple[FusionBatch, ...]":
        batches, done = [], 0
        for part in cuts([len(target.values) for target in self.targets], parts):
            targets = tuple(self.targets[group].rows(start, stop) for group, start, stop in part)
            here = slice(done, done + sum(len(target.values) for target in targets))
            keys = None if self.frame_keys is None else self.frame_keys[here]
            batches.append(FusionBatch(self.eeg[here], self.frames[here], self.frame_mask[here], targets, keys))
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

    def state_dict(self) -> dict[str, Any]: ...

    def load_state_dict(self, state: Mapping[str, Any]) -> None: ...


@runtime_checkable
class Dataset(Protocol):
    """Opened data, on its device. Every variant of a seed gets the same batches in the same order.

    fingerprint: hash of the content and of the data configuration. attainable: log-likelihood gain over the null of
    the true rates, in nats, one array a session with an entry for each unit, over exactly the scored bins; None
    where truth is unknown.
    scored_hash: hash of the set of (session, bin, unit) entries that a split scores.
    """

    spec: DataSpec
    fingerprint: str

    def train(self, *, seed: int, batch_size: int) -> BatchStream: ...

    def sweep(self, split: Split, *, batch_size: int) -> Iterator[Batch]: ...

    def scored_hash(self, split: Split) -> str: ...

    def attainable(self, split: Split) -> "tuple[Any, ...] | None": ...

    def floor(self, split: Split) -> "tuple[Any, ...] | None":
        """The same of the rates that need no receptive field; None where that is not known."""
        ...

    def to(self, device: torch.device) -> "Dataset": ...


# ------------------------------------------------------------------ models and their parts


@runtime_checkable
class Model(Protocol):
    """What the loop trains. It is an `nn.Module`; the loop cannot know which variant it is."""

    def __call__(self, batch: Any) -> tuple[Tensor, ...]:
        """One prediction a target: log-rates (b, n, u) for spikes, log-probabilities (b, n, classes) for labels."""
        ...

    def penalty(self) -> Tensor:
        """The regularisers, a scalar added to the loss."""
        ...

    def progress(self, fraction: float) -> None:
        """Told before each step how much of training is done, 0 to 1: schedules inside the model follow it."""
        ...


@dataclass(frozen=True)
class FeatureMap:
    """The map after a part: channels, rows, columns, and where its cells lie.

    time_step: frames from one output step to the next; the newest step always ends at the newest frame.
    row_centers, col_centers: stimulus coordinates of the cells in [-1, 1] of the grid (length `height`, `width`).
    row_extent, col_extent: the size of one cell in the same coordinates.
    """

    channels: int
    height: int
    width: int
    time_step: int
    row_centers: tuple[float, ...]
    col_centers: tuple[float, ...]

    @staticmethod
    def of_grid(channels: int, height: int, width: int) -> "FeatureMap":
        """The map of a plain grid of pixels whose outermost pixels lie at -1 and 1 (`align_corners`)."""

        def centers(size: int) -> tuple[float, ...]:
            return tuple(2 * i / (size - 1) - 1 for i in range(size)) if size > 1 else (0.0,)

        return FeatureMap(channels, height, width, 1, centers(height), centers(width))


@runtime_checkable
class Adapter(Protocol):
    """One session's video onto the common grid. Built with `build(height, width)`; `out` is the grid's map."""

    out: FeatureMap

    def __call__(self, video: Float[Tensor, "b 1 t h w"]) -> Float[Tensor, "b 1 t gh gw"]: ...


@runtime_checkable
class Frontend(Protocol):
    """Temporal filtering of pixels. Built with `build(input: FeatureMap)`. Causal; the newest frame stays the
    newest.
    """

    out: FeatureMap

    def __call__(self, video: Float[Tensor, "b c t h w"]) -> Float[Tensor, "b c2 t2 h w"]: ...


@runtime_checkable
class Core(Protocol):
    """The backbone. Built with `build(input: FeatureMap)`. Causal; steps are aligned to the newest frame."""

    out: FeatureMap

    def __call__(self, video: Float[Tensor, "b c t h w"]) -> Float[Tensor, "b d t2 h2 w2"]: ...


@runtime_checkable
class Modulator(Protocol):
    """Behaviour into features. Built with `build(input: FeatureMap, behaviors: int)`."""

    out: FeatureMap

    def __call__(
        self, features: Float[Tensor, "b d t h w"], behavior: Float[Tensor, "b t k"] | None
    ) -> Float[Tensor, "b d2 t h w"]: ...


@runtime_checkable
class Readout(Protocol):
    """Features to log-rates, one session. Built with `build(input: FeatureMap, mean_rate: tuple[float, ...])`."""

    def __call__(self, features: Float[Tensor, "b d n h w"]) -> Float[Tensor, "b n u"]: ...

    def penalty(self) -> Float[Tensor, ""]: ...


def no_decay(parameter: nn.Parameter) -> nn.Parameter:
    """Marks a parameter that takes no weight decay although it has two axes or more (positions, readout geometry)."""
    parameter.no_decay = True  # type: ignore[attr-defined]
    return parameter


Mask = Bool[Tensor, "..."]
