"""What a model must know of the data before it is built: sessions, windows, scored bins, trials, classes, targets."""

from dataclasses import dataclass
from typing import Literal

NULL_RATE_FLOOR = 1e-4
"""Least rate (expected spikes a bin) of the score's null and of `attainable`: a unit without a spike in the training
split would otherwise have a null of zero and an infinite gain. One spike in 10,000 bins."""


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
class TargetSpec:
    """A number that is learned. mean, sd: of the training split's numbers, by which the targets are z-scored: the null
    of the score."""

    name: str
    mean: float = 0.0
    sd: float = 1.0


@dataclass(frozen=True)
class FusionSpec:
    """The data of a fusion study: EEG and video in, a class or some numbers for each trial or interval out.

    frame_shape: (3, h, w) pixels or (d,) features. class_prior: training-split frequency of each class. labels_per:
    what one label belongs to. session_names: subjects, in the order of `Target.session`. class_names: empty where
    classes have only numbers. targets: the numbers, in the order of `Target.values`; where there are any, there are no
    classes.
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
    class_names: tuple[str, ...] = ()
    targets: tuple[TargetSpec, ...] = ()

    @property
    def task(self) -> Literal["labels", "values"]:
        """Classes or numbers."""
        return "values" if self.targets else "labels"


DataSpec = EncodingSpec | FusionSpec
