"""`coincidence`: an embedded fusion benchmark whose ceiling is known in closed form.

In each interval the video shows an event e (a fair coin), coded only by the order of two marker frames; the EEG
holds an evoked response r (a fair coin: a template of unit norm times d' in white noise); the label is e XOR r. So
EEG alone,
video alone, a model blind to frame order, and one that looks at the wrong interval are all at exactly one half.
"""

import hashlib
import json
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import Field, model_validator

from ablate.config import non_default
from ablate.contract import FusionSpec
from ablate.data.coincidence import ceiling
from ablate.data.trials.config import TrialDataConfig

if TYPE_CHECKING:
    import torch

    from ablate.data.trials.dataset import TrialDataset

GENERATOR = 2  # raised when the same configuration would give other trials


class CoincidenceConfig(TrialDataConfig):
    """EEG and video whose coincidence is the label."""

    type: Literal["coincidence"] = "coincidence"
    mode: Literal["features", "pixels"] = "features"
    """Frames as vectors (fast) or as small images (for frame ViT and ViViT)."""
    train_trials: int = Field(default=10000, ge=1)
    """Trials to train on, each with `intervals` labels."""
    validation_trials: int = Field(default=300, ge=1)
    """Trials that stop and select."""
    test_trials: int = Field(default=800, ge=1)
    """Trials that are only scored."""
    subjects: int = Field(default=4, ge=1)
    """Subjects; with `split: subject` at least 3."""
    intervals: int = Field(default=5, ge=1)
    """Intervals of a trial (i), each with a label."""
    frames: int = Field(default=6, ge=2)
    """Frames of an interval (f), padding included."""
    min_valid: int = Field(default=3, ge=2)
    """Fewest valid frames of an interval; its number is drawn evenly from here to `frames`."""
    pads: Literal["end", "scattered"] = "end"
    """Where pads lie in an interval."""
    d_prime: float = Field(default=5.0, ge=0)
    """How clear the evoked response is: distance of the two cases in standard deviations."""
    event_error: float = Field(default=0.0, ge=0, le=0.5)
    """How often the video shows the wrong event."""
    absent: float = Field(default=0.0, ge=0, lt=1)
    """Share of intervals without any video."""
    padding_trap: bool = False
    """Puts a marker in the pads that tells the label in train and validation and its opposite in test."""
    channels: int = Field(default=4, ge=1)
    """EEG channels."""
    samples_per_interval: int = Field(default=24, ge=8)
    """EEG samples of an interval."""
    feature_dim: int = Field(default=8, ge=4)
    """Width of a frame's vector in feature mode."""
    image_size: int = Field(default=16, ge=8)
    """Rows and columns of an image in pixel mode."""
    seed: int = Field(default=0, ge=0)
    """Draws the trials; not the seed of a run."""

    @model_validator(mode="after")
    def _consistent(self) -> "CoincidenceConfig":
        if self.min_valid > self.frames:
            raise ValueError(f"min_valid {self.min_valid} is more than frames {self.frames}")
        if self.split == "subject" and self.subjects < 3:
            raise ValueError("split: subject needs at least 3 subjects, one for each split")
        return self

    @property
    def bins_per_row(self) -> int:
        return self.intervals

    def describe(self) -> FusionSpec:
        pixels = (3, self.image_size, self.image_size)
        return FusionSpec(
            session_names=tuple(f"subject_{index:02d}" for index in range(self.subjects)),
            intervals=self.intervals,
            frames=self.frames,
            frame_shape=pixels if self.mode == "pixels" else (self.feature_dim,),
            eeg_channels=self.channels,
            eeg_samples=self.intervals * self.samples_per_interval,
            classes=2,
            class_prior=(0.5, 0.5),
            labels_per="interval",
        )

    def summary(self) -> str:
        trials = self.train_trials + self.validation_trials + self.test_trials
        return f"coincidence ({self.mode}), {self.subjects} subjects, {trials} trials, {ceilings_line(self)}"

    def open(self, device: "torch.device") -> "TrialDataset":
        from ablate.data.coincidence.draw import draw_split
        from ablate.data.trials.dataset import TrialDataset

        counts = {"train": self.train_trials, "validation": self.validation_trials, "test": self.test_trials}
        splits = {name: draw_split(self, name, count, self._subjects_of(name)) for name, count in counts.items()}
        return TrialDataset(splits, self.describe(), self, fingerprint=self._fingerprint(), device=device)

    def rehearsal(self) -> "CoincidenceConfig":
        few = {"train_trials": 32, "validation_trials": 12, "test_trials": 12}
        values = {name: getattr(self, name) for name in type(self).model_fields}
        return type(self)(**{**values, **{name: min(values[name], count) for name, count in few.items()}})

    def _subjects_of(self, split: str) -> np.ndarray:
        """Subjects whose trials a split holds: all, or with `split: subject` a share of their own."""
        everyone = np.arange(self.subjects)
        if self.split == "trial":
            return everyone
        held_out = max(1, self.subjects // 5)
        return {
            "test": everyone[:held_out],
            "validation": everyone[held_out : 2 * held_out],
            "train": everyone[2 * held_out :],
        }[split]

    def _fingerprint(self) -> str:
        told = json.dumps([GENERATOR, non_default(self)], sort_keys=True)
        return hashlib.blake2b(told.encode(), digest_size=16).hexdigest()


def ceilings_line(config: CoincidenceConfig) -> str:
    """The closed-form accuracies in a few words."""
    full = ceiling.full_accuracy(config.d_prime, config.event_error, config.absent)
    pooled = ceiling.pooled_accuracy(config.d_prime, config.intervals, config.event_error, config.absent)
    return f"accuracy ceiling {full:.3f} (pooled video {pooled:.3f}, one modality 0.500)"
