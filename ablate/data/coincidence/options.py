"""The knobs of `coincidence`: how many trials, what they show, and how clearly."""

from typing import Literal

from pydantic import Field, model_validator

from ablate.data.trials.config import TrialDataConfig


class CoincidenceOptions(TrialDataConfig):
    """EEG and video whose coincidence is the label."""

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
    def _consistent(self) -> "CoincidenceOptions":
        if self.min_valid > self.frames:
            raise ValueError(f"min_valid {self.min_valid} is more than frames {self.frames}")
        if self.split == "subject" and self.subjects < 3:
            raise ValueError("split: subject needs at least 3 subjects, one for each split")
        return self

    @property
    def bins_per_row(self) -> int:
        return self.intervals
