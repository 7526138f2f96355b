"""`coincidence`: an embedded fusion benchmark whose ceiling is known in closed form.

In each interval the video shows an event e (a fair coin), coded only by the order of two marker frames; the EEG
holds an evoked response r (a fair coin: a template of unit norm times d' in white noise); the label is e XOR r. So
EEG alone,
video alone, a model blind to frame order, and one that looks at the wrong interval are all at exactly one half.
"""

import hashlib
import json
from typing import Literal

import numpy as np
import torch

from ablate.config import non_default
from ablate.contract import FusionSpec
from ablate.data.coincidence import ceiling
from ablate.data.coincidence.draw import draw_split
from ablate.data.coincidence.options import CoincidenceOptions
from ablate.data.trials.dataset import TrialDataset

GENERATOR = 2  # raised when the same configuration would give other trials


class CoincidenceConfig(CoincidenceOptions):
    """EEG and video whose coincidence is the label."""

    type: Literal["coincidence"] = "coincidence"

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

    def open(self, device: torch.device) -> TrialDataset:
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
