"""Trials on disk, whatever their layout: a row for each, whose EEG and frames are read when they are asked for."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import DTypeLike, NDArray

from ablate.disk.stamp import Look, look_of
from ablate.errors import Problem

Frames = tuple[NDArray[np.generic], NDArray[np.bool_]]
MICROVOLTS = {"uV": 1.0, "µV": 1.0, "μV": 1.0, "mV": 1e3, "V": 1e6}  # the micro sign and the Greek letter

CUT_OR_PAD = "cut all trials to the same length, or `data.lengths: padded`"


@dataclass(frozen=True)
class EegFile:
    """What a recording says of itself. name: the file, in messages. bads: channels that it marks as bad. montage: where
    its channels sit (an MNE montage), if it says so."""

    name: str
    rate_hz: float
    channels: tuple[str, ...]
    bads: tuple[str, ...] = ()
    montage: object = None


@dataclass(frozen=True)
class TrialRow:
    """One recorded trial.

    where: its line of the manifest, or its file and place. recording: what the file of its EEG says of itself. eeg:
    reads (channels, samples) microvolts as recorded, `recording`'s channels at its rate. frames: reads (i, f, h, w, 3)
    uint8 pixels or (i, f, d) float32 features, and which frames are valid (i, f). mask: reads the latter alone.
    content: hash of the frames. shown: where they come from; empty where the trial is said to have none. stimulus: what
    was shown, where other trials (of other subjects, say) show it too; trials of one stimulus are never in two splits.
    offset_s: the manifest's t0_video_s less t0_eeg_s, where there is one. frame_keys: what names each frame (i, f, 2)
    where that is known without reading it, as of films. interval_labels: of each interval, empty where it has none; ()
    where the trial has one label alone. values: numbers to learn (n, k), of the trial or of each interval,
    NaN where nothing is rated; () where classes are learned. seconds: how long it is, where trials may differ; None: as
    all of them. around: the EEG with so many samples before and after, as far as the recording
    reaches, and how many of them come before; None where nothing else was recorded.
    """

    trial_id: str
    subject: str
    label: str
    where: str
    recording: EegFile
    eeg: Callable[[], NDArray[np.floating]]
    frames: Callable[[], Frames]
    mask: Callable[[], NDArray[np.bool_]]
    content: Callable[[], bytes]
    shown: str = ""
    stimulus: str = ""
    offset_s: float | None = None
    frame_keys: Callable[[], NDArray[np.uint64]] | None = None
    interval_labels: tuple[str, ...] = ()
    values: tuple[tuple[float, ...], ...] = ()
    seconds: float | None = None
    around: Callable[[int, int], tuple[NDArray[np.floating], int]] | None = None

    @property
    def own_labels(self) -> tuple[str, ...]:
        """What is learned of the trial: its intervals' labels where it has them, else its own."""
        return self.interval_labels or (self.label,)


@dataclass(frozen=True)
class TrialTable:
    """All trials of a folder. frame_shape: (3, h, w) or (d,). frames: the most that any interval of any trial holds.
    files: that are read, wherever they lie. problems: trials that could not become rows, and why. notices: what is no
    fault. targets: the numbers that are learned, in the order of `TrialRow.values`."""

    where: str
    rows: tuple[TrialRow, ...]
    interval_s: float
    intervals: int
    frames: int
    frame_shape: tuple[int, ...]
    files: tuple[Path, ...] = ()
    problems: tuple[Problem, ...] = ()
    notices: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()

    @property
    def subjects(self) -> tuple[str, ...]:
        return tuple(sorted({row.subject for row in self.rows}))

    @property
    def labels(self) -> tuple[str, ...]:
        """The classes; none where numbers are learned."""
        if self.targets:
            return ()
        return tuple(sorted({label for row in self.rows for label in row.own_labels if label}))

    @property
    def labels_per(self) -> Literal["trial", "interval"]:
        """What one label belongs to."""
        if self.targets:
            return "interval" if any(len(row.values) > 1 for row in self.rows) else "trial"
        return "interval" if any(row.interval_labels for row in self.rows) else "trial"

    @property
    def seconds(self) -> float:
        """Of a trial, the longest."""
        return self.intervals * self.interval_s

    def intervals_of(self, row: TrialRow) -> int:
        """How many intervals a trial has."""
        return self.intervals if row.seconds is None else round(row.seconds / self.interval_s)

    @property
    def unequal(self) -> bool:
        """Whether some trials are shorter than others."""
        return len({self.intervals_of(row) for row in self.rows}) > 1


def whole_intervals(seconds: float, interval_s: float) -> int | None:
    """How many intervals a trial holds; None where it is no whole number of them."""
    count = round(seconds / interval_s)
    return count if count >= 1 and abs(count * interval_s - seconds) < 1e-6 * seconds else None


def padded(frames: NDArray[np.generic], intervals: int, most: int) -> NDArray[np.generic]:
    """Frames with pads at the end of the trial and of each interval, `most` in an interval; pixels with the channel
    first."""
    if frames.ndim == 5:
        frames = np.moveaxis(frames, -1, 2)  # (i, f, 3, h, w)
    return filled(frames, intervals, most)


def filled(values: NDArray[np.generic], intervals: int, most: int) -> NDArray[np.generic]:
    """(i, f, ...) with zeros, or False, at the end of both axes."""
    short = (intervals - values.shape[0], most - values.shape[1])
    return np.pad(values, [(0, short[0]), (0, short[1]), *[(0, 0)] * (values.ndim - 2)])


def no_frames(shape: tuple[int, ...], dtype: DTypeLike) -> Frames:
    """What stands for a trial without video: frames of this shape (i, f, ...), none of which is valid."""
    return np.zeros(shape, dtype=dtype), np.zeros(shape[:2], dtype=np.bool_)


def hash_of(*parts: object) -> bytes:
    """Of arrays (type, shape and bytes) and of whatever else has a plain text."""
    content = hashlib.blake2b(digest_size=16)
    for part in parts:
        if isinstance(part, np.ndarray):
            content.update(f"{part.shape} {part.dtype.str}".encode())
            content.update(np.ascontiguousarray(part).tobytes())
        else:
            content.update(repr(part).encode())
    return content.digest()


def hash_of_file(file: Path) -> bytes:
    """Of its bytes, kept while the file is untouched: many trials may lie in one film."""
    return _hash_of_bytes(file, look_of(file))


@lru_cache(maxsize=4096)
def _hash_of_bytes(file: Path, look: Look) -> bytes:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, lambda: hashlib.blake2b(digest_size=16)).digest()
