"""A module of pieces that may forget in training what happens within them, and compute it again on the way back.

Reference: Chen et al. 2016, "Training deep nets with sublinear memory cost", by torch's own `checkpoint`: less memory
for one forward pass more. Random numbers are drawn again as they were, so that on a CPU gradients have the same bits.
"""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint


class Recomputing(nn.Module):
    """Passes its pieces by `through`; they must give the same for the same inputs and random numbers."""

    recomputes: bool = False
    """Keep what each piece is given, and nothing within it."""

    def through(self, piece: Callable[..., Tensor], *inputs: Tensor | None) -> Tensor:
        """`piece(*inputs)`."""
        if self.recomputes and torch.is_grad_enabled():
            return checkpoint(piece, *inputs, use_reentrant=False)
        return piece(*inputs)
