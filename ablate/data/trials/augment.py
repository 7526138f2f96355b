"""Training batches changed at random, so that no model leans on one modality or one sample: never what is scored.

Every draw comes from the run's seed and the batch's place in its order, a stream of its own for each option: variants
see the same changes at the same step, and another option moves none of them.
"""

from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Float
from pydantic import Field, model_validator
from torch import Tensor

from ablate.config import Config
from ablate.contract import FusionBatch
from ablate.data.crossing import sent

STREAMS = {"modality": 1, "noise": 2, "shift": 3}


class AugmentConfig(Config):
    """What is changed at random in training batches, and never in validation or test."""

    drop_video: float = Field(default=0.0, ge=0, lt=1)
    """Share of trials without any of their frames (modality dropout)."""
    drop_eeg: float = Field(default=0.0, ge=0, lt=1)
    """Share of trials whose EEG is zero, which is each channel's mean. Never together with `drop_video`."""
    eeg_noise: float = Field(default=0.0, ge=0, le=10)
    """White noise added to the EEG, in standard deviations of a channel."""
    eeg_shift: int = Field(default=0, ge=0)
    """The EEG is moved in time by up to so many samples, either way; zeros come in at its end."""

    @model_validator(mode="after")
    def _leaves_something(self) -> "AugmentConfig":
        if self.drop_video + self.drop_eeg > 1:
            raise ValueError("drop_video and drop_eeg are shares of the same trials: together at most 1")
        return self

    @property
    def changes_nothing(self) -> bool:
        return self == AugmentConfig()


@dataclass(frozen=True)
class Place:
    """Where a batch stands in the order of a run: what its draws come from."""

    seed: int
    epoch: int
    position: int

    def rng(self, stream: str) -> np.random.Generator:
        return np.random.default_rng([self.seed, self.epoch, self.position, STREAMS[stream]])


def augmented(batch: FusionBatch, options: AugmentConfig, place: Place) -> FusionBatch:
    """The batch with what the options change; itself where they change nothing."""
    if options.changes_nothing:
        return batch
    eeg, mask, rows = batch.eeg, batch.frame_mask, batch.size
    if options.eeg_shift:
        steps = place.rng("shift").integers(-options.eeg_shift, options.eeg_shift + 1, rows)
        eeg = torch.stack([moved(one, int(step)) for one, step in zip(eeg, steps, strict=True)])
    if options.eeg_noise:
        noise = place.rng("noise").standard_normal(tuple(eeg.shape), dtype=np.float32)
        eeg = eeg + options.eeg_noise * sent(torch.from_numpy(noise), eeg.device)
    if options.drop_video or options.drop_eeg:
        drawn = sent(torch.from_numpy(place.rng("modality").random(rows)), eeg.device)
        without_video = drawn < options.drop_video
        without_eeg = ~without_video & (drawn < options.drop_video + options.drop_eeg)
        mask = mask & ~without_video[:, None, None]
        eeg = eeg.masked_fill(without_eeg[:, None, None], 0.0)
    return replace(batch, eeg=eeg, frame_mask=mask)


def moved(eeg: Float[Tensor, "c t"], steps: int) -> Float[Tensor, "c t"]:
    """Later by so many samples (earlier where they are negative), zeros in the place of what nobody recorded."""
    out = torch.zeros_like(eeg)
    length = eeg.shape[1]
    if abs(steps) < length:
        out[:, max(steps, 0) : length + min(steps, 0)] = eeg[:, max(-steps, 0) : length - max(steps, 0)]
    return out
