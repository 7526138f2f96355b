"""`coincidence`: an embedded fusion benchmark whose ceiling is known in closed form.

In each interval the video shows an event e (a fair coin), coded only by the order of two marker frames; the EEG
holds an evoked response r (a fair coin: a template of unit norm times d' in white noise); the label is e XOR r. So
EEG alone,
video alone, a model blind to frame order, and one that looks at the wrong interval are all at exactly one half.
"""

import hashlib
import json
from typing import Literal

import torch

from ablate.config import non_default
from ablate.data.coincidence import ceiling
from ablate.data.coincidence.draw import draw_split
from ablate.data.coincidence.options import CoincidenceOptions
from ablate.data.trials.opened.dataset import TrialDataset

GENERATOR = 2  # raised when the same configuration would give other trials


class CoincidenceConfig(CoincidenceOptions):
    """EEG and video whose coincidence is the label."""

    type: Literal["coincidence"] = "coincidence"

    def summary(self) -> str:
        return f"coincidence {self.title()}, {ceilings_line(self)}"

    def open(self, device: torch.device) -> TrialDataset:
        splits = {name: draw_split(self, name, count, self.subjects_of(name)) for name, count in self.counts.items()}
        return TrialDataset(splits, self.describe(), self, fingerprint=self._fingerprint(), device=device)

    def _fingerprint(self) -> str:
        identity = json.dumps([GENERATOR, non_default(self)], sort_keys=True)
        return hashlib.blake2b(identity.encode(), digest_size=16).hexdigest()


def ceilings_line(config: CoincidenceConfig) -> str:
    """The closed-form accuracies in a few words."""
    full = ceiling.full_accuracy(config.d_prime, config.event_error, config.absent)
    pooled = ceiling.pooled_accuracy(config.d_prime, config.intervals, config.event_error, config.absent)
    return f"accuracy ceiling {full:.3f} (pooled video {pooled:.3f}, one modality 0.500)"
