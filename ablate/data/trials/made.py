"""What the embedded fusion benchmarks share: how many trials, of what size, how clear the EEG, features or pixels."""

from typing import Literal, TypeVar

import numpy as np
from pydantic import Field, model_validator

from ablate.contract import FusionSpec
from ablate.data.trials.config import TrialDataConfig

Made = TypeVar("Made", bound="MadeTrialsConfig")


class MadeTrialsConfig(TrialDataConfig):
    """Knobs of trials that are drawn; the label is what the video says XOR the evoked response in the EEG."""

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
    d_prime: float = Field(default=5.0, ge=0)
    """How clear the evoked response is: distance of the two cases in standard deviations."""
    absent: float = Field(default=0.0, ge=0, lt=1)
    """Share of intervals without any video."""
    train_event_bias: float = Field(default=0.5, gt=0, lt=1)
    """How often the video's event is the first of its two kinds, in the training split alone. At 1/2 neither modality
    has any gradient of its own, and seeds leave that plateau late; a bias gives the EEG one. Labels stay fair."""
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
    def _consistent(self) -> "MadeTrialsConfig":
        if self.min_valid > self.frames:
            raise ValueError(f"min_valid {self.min_valid} is more than frames {self.frames}")
        if self.split == "subject" and self.subjects < 3:
            raise ValueError("split: subject needs at least 3 subjects, one for each split")
        return self

    @property
    def bins_per_row(self) -> int:
        return self.intervals

    @property
    def counts(self) -> dict[str, int]:
        """Trials of each split."""
        return {"train": self.train_trials, "validation": self.validation_trials, "test": self.test_trials}

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

    def rehearsal(self: Made) -> Made:
        few = {"train_trials": 32, "validation_trials": 12, "test_trials": 12}
        return self.changed(**{name: min(value, few[name]) for name, value in self if name in few})

    def subjects_of(self, split: str) -> np.ndarray:
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

    def title(self) -> str:
        """Mode, subjects and trials, for the head of a study."""
        return f"({self.mode}), {self.subjects} subjects, {sum(self.counts.values())} trials"
