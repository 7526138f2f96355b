"""Sequences of unequal length: valid frames moved to the left, reversed within their prefix, and put back.

A recurrent, convolutional or state-space layer knows no masks. If pads fall in mid-sequence, or if a sequence with pads
at its end is reversed, zeros (and biases made of them) run through the state. Moving the valid frames together first
makes every causal layer exact, whatever lies in the pads.
"""

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor


def zero_pads(x: Float[Tensor, "s l d"], valid: Bool[Tensor, "s l"]) -> Float[Tensor, "s l d"]:
    """Zeros where not valid; filled, not multiplied, since NaN * 0 is NaN."""
    return x.masked_fill(~valid[..., None], 0.0)


def take(x: Float[Tensor, "s l d"], index: Int[Tensor, "s l"]) -> Float[Tensor, "s l d"]:
    """Row j of the result is row index[j] of the input, for each sequence."""
    return x.gather(1, index[..., None].expand_as(x))


def compact(
    x: Float[Tensor, "s l d"], mask: Bool[Tensor, "s l"]
) -> tuple[Float[Tensor, "s l d"], Bool[Tensor, "s l"], Int[Tensor, "s l"]]:
    """Valid frames moved to the left in their order. Gives the frames, where they are valid now, and the way back."""
    order = torch.argsort((~mask).to(torch.uint8), dim=1, stable=True)
    valid = mask.gather(1, order)
    return zero_pads(take(x, order), valid), valid, torch.argsort(order, dim=1)


def reverse_prefix(valid: Bool[Tensor, "s l"]) -> Int[Tensor, "s l"]:
    """The index that reverses each valid prefix and leaves the pads behind it in place; its own inverse."""
    place = torch.arange(valid.shape[1], device=valid.device).expand(valid.shape)
    length = valid.sum(dim=1, keepdim=True)
    return torch.where(valid, length - 1 - place, place)
