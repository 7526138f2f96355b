"""Arithmetic of single precision: float32 whatever autocast says, and no numbers below its normal range."""

from contextlib import AbstractContextManager

import torch
from jaxtyping import Float
from torch import Tensor

from ablate.model.layer.autocasting import without_meta_autocast


def full_precision(device: torch.device) -> AbstractContextManager[object]:
    """Switches autocast off, also on the meta device, where costs are counted."""
    if device.type == "meta":
        return without_meta_autocast()
    return torch.autocast(device.type, enabled=False)


def gaussian_weights(exponent: Float[Tensor, "*rows n"]) -> Float[Tensor, "*rows n"]:
    """exp(exponent) of each row over its sum; weights below 1e-26 of the largest are zero.

    Left in, they make numbers too small for float32's exponent, and products with those are a hundred times slower.
    """
    largest = exponent.detach().amax(dim=-1, keepdim=True)
    return torch.softmax(exponent.masked_fill(exponent < largest - 60, -torch.inf), dim=-1)
