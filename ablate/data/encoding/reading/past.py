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

    def __call__(self, bins: Int[np.ndarray, "b n"], count: int) -> Float[torch.Tensor, "b n lag u"]:
        """As `PastSpikes.read`."""
        before = bins[:, :, None] - np.arange(1, count + 1)
        at = np.maximum(before, 0)
        there, here = self.label[at], self.label[bins][:, :, None]
        told = (before >= self.run_start[bins][:, :, None]) & ((there == here) | (there == UNUSED) | (here == UNUSED))
        index = torch.as_tensor(rearrange(at, "b n lag -> b (n lag)"), device=self.device)
        values, valid = (
            rearrange(part(index), "b (n lag) u -> b n lag u", lag=count)
            for part in (self.store.spikes, self.store.valid)
        )
        mean, std, counts = self._constants
        known = valid & torch.as_tensor(told, device=self.device)[..., None] & counts
        return torch.where(known, (values - mean) / std, torch.zeros((), device=self.device))

    @cached_property
    def _constants(self) -> tuple[Float[torch.Tensor, " u"], Float[torch.Tensor, " u"], Bool[torch.Tensor, " u"]]:
        """Mean and deviation of the counts, and the units that count, on the device for good."""
        mean, std = (
            torch.as_tensor(part, dtype=torch.float32, device=self.device)
            for part in (self.statistics.mean_rate, self.statistics.count_std)
        )
        return mean, std, torch.as_tensor(self.counts, device=self.device)
