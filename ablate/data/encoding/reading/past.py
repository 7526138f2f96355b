"""Counts before a bin, from one recording: what a model with spike history is given in training, test and predictions.

A bin's own count is never among them, nor one of another split than the bin's: test counts enter no training, and
training counts no test. The counts of a test bin's own past do enter its prediction: such a score is conditional on
them.
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from einops import rearrange
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ablate.data.encoding.reading.frames import FrameStore
from ablate.data.encoding.reading.statistics import Statistics
from ablate.data.encoding.split.blocks import UNUSED


@dataclass(frozen=True)
class CountReader:
    """counts: (u,) units that count. run_start: (t,) first bin of the unbroken run of each bin. label: (t,) split of
    each bin; one label for all where there are no splits."""

    store: FrameStore
    statistics: Statistics
    counts: Bool[np.ndarray, " u"]
    run_start: Int[np.ndarray, " t"]
    label: Int[np.ndarray, " t"]
    device: torch.device

    def __call__(self, bins: Int[Tensor, "b n"], count: int) -> Float[Tensor, "b n lag u"]:
        """As `PastSpikes.read`. Everything that is looked up lies on the device: nothing is copied there."""
        run_start, label = self._bins
        before = bins[:, :, None] - torch.arange(1, count + 1, device=self.device)
        at = before.clamp(min=0)
        there, here = label[at], label[bins][:, :, None]
        told = (before >= run_start[bins][:, :, None]) & ((there == here) | (there == UNUSED) | (here == UNUSED))
        values, valid = (
            rearrange(part(rearrange(at, "b n lag -> b (n lag)")), "b (n lag) u -> b n lag u", lag=count)
            for part in (self.store.spikes, self.store.valid)
        )
        mean, std, counts = self._constants
        known = valid & told[..., None] & counts
        return torch.where(known, (values - mean) / std, torch.zeros((), device=self.device))

    @cached_property
    def _bins(self) -> tuple[Int[Tensor, " t"], Int[Tensor, " t"]]:
        """Run and split of each bin, on the device for good."""
        run_start, label = (torch.as_tensor(part, device=self.device) for part in (self.run_start, self.label))
        return run_start, label

    @cached_property
    def _constants(self) -> tuple[Float[Tensor, " u"], Float[Tensor, " u"], Bool[Tensor, " u"]]:
        """Mean and deviation of the counts, and the units that count, on the device for good."""
        mean, std = (
            torch.as_tensor(part, dtype=torch.float32, device=self.device)
            for part in (self.statistics.mean_rate, self.statistics.count_std)
        )
        return mean, std, torch.as_tensor(self.counts, device=self.device)
