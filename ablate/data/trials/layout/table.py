"""Trials on disk, whatever their layout: a row for each, whose EEG and frames are read when they are asked for."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike, NDArray

from ablate.errors import AblateError

Frames = tuple[NDArray[np.generic], NDArray[np.bool_]]
MICROVOLTS = {"uV": 1.0, "µV": 1.0, "mV": 1e3, "V": 1e6}
FLAT = 1e-2  # microvolts: no amplifier is so quiet, so a smaller standard deviation means volts


@dataclass(frozen=True)
class TrialRow:
    """One recorded trial.

    eeg: reads (channels, samples) float32 microvolts. frames: reads (i, f, h, w, 3) uint8 pixels or (i, f, d)
    features, and which frames are valid (i, f). mask: reads the latter alone. stimulus: what was shown, where other
    trials (of other subjects, say) show it too; trials of one stimulus are never in two splits.
    """

    trial_id: str
    subject: str
    label: str
    eeg: Callable[[], NDArray[np.float32]]
    frames: Callable[[], Frames]
    mask: Callable[[], NDArray[np.bool_]]
    stimulus: str = ""


@dataclass(frozen=True)
class TrialTable:
    """All trials of a folder. frame_shape: (3, h, w) or (d,). frames: the most that any interval of any trial holds."""

    rows: tuple[TrialRow, ...]
    rate_hz: float
    channels: tuple[str, ...]
    interval_s: float
    intervals: int
    frames: int
    frame_shape: tuple[int, ...]

    @property
    def subjects(self) -> tuple[str, ...]:
        return tuple(sorted({row.subject for row in self.rows}))

    @property
    def labels(self) -> tuple[str, ...]:
        return tuple(sorted({row.label for row in self.rows}))

    @property
    def samples(self) -> int:
        """EEG samples of a trial."""
        return round(self.intervals * self.interval_s * self.rate_hz)


def trimmed(eeg: NDArray[np.generic], samples: int, where: str) -> NDArray[np.float32]:
    """A trial's EEG in exactly as many samples as its intervals hold.

    One sample too many is cut: MNE's windows are closed on both sides, 5 s at 100 Hz give 501. Raises AblateError
    for any other length, and for values that are not finite or look like volts.
    """
    if eeg.ndim != 2 or eeg.shape[1] not in (samples, samples + 1):
        raise AblateError(
            f"EEG of shape {eeg.shape}, expected (channels, {samples})",
            where=where,
            hint="samples = intervals x interval_s x rate; rows are channels",
        )
    values = np.asarray(eeg[:, :samples], dtype=np.float32)
    if not np.isfinite(values).all():
        raise AblateError("the EEG holds NaN or infinity", where=where, hint="drop the trial, or repair it beforehand")
    if values.std() < FLAT:
        raise AblateError(
            f"the EEG has a standard deviation of {values.std():.2g} microvolts",
            where=where,
            hint="it looks like volts (as MNE gives them): set `units: V`, or multiply by 1e6",
        )
    return values


def padded(frames: NDArray[np.generic], most: int) -> NDArray[np.generic]:
    """Frames with pads at the end of each interval, `most` in all; pixels with the channel first."""
    if frames.ndim == 5:
        frames = np.moveaxis(frames, -1, 2)  # (i, f, 3, h, w)
    return np.pad(frames, [(0, 0), (0, most - frames.shape[1]), *[(0, 0)] * (frames.ndim - 2)])


def padded_mask(mask: NDArray[np.bool_], most: int) -> NDArray[np.bool_]:
    """The same for the mask."""
    return np.pad(mask, [(0, 0), (0, most - mask.shape[1])])


def no_frames(shape: tuple[int, ...], dtype: DTypeLike) -> Frames:
    """What stands for a trial without video: frames of this shape (i, f, ...), none of which is valid."""
    return np.zeros(shape, dtype=dtype), np.zeros(shape[:2], dtype=np.bool_)
