"""Spikes that were counted before a bin, for models that predict from them: gathered only when a model asks."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

ReadPast = Callable[[Int[Tensor, "b n"], int], Float[Tensor, "b n lag u"]]


@dataclass(frozen=True)
class PastSpikes:
    """Counts of the bins before each scored bin of some windows, whether or not the window reaches so far.

    bins: (b, n) numbers of the scored bins in their recording, on the batch's device. read: those, and how many bins
    before each, in; counts out, the bin just before first: less the unit's mean in train, over the deviation of its
    bins with spikes. Zero (the mean) where a count is not known: before the recording or the trial, where it is not
    valid, in another split.
    """

    bins: Int[Tensor, "b n"]
    read: ReadPast

    @torch._disable_dynamo  # torch.compiler.disable would load the compiler here, seconds before anything is said
    def before(self, count: int) -> Float[Tensor, "b n lag u"]:
        """The `count` bins before each scored bin, never the bin itself."""
        return self.read(self.bins, count)

    def rows(self, start: int, stop: int) -> "PastSpikes":
        """Those of some of the windows."""
        return PastSpikes(self.bins[start:stop], self.read)
