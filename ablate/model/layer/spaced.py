"""Some steps of a sequence by their numbers, as the scored bins are."""

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import Tensor


def take_steps(values: Tensor, numbers: Sequence[int], axis: int) -> Tensor:
    """Evenly spaced steps are a slice, which needs no index on the device, and so no copy that waits."""
    apart = {second - first for first, second in pairwise(numbers)}
    if len(apart) > 1 or min(apart, default=1) < 1:
        return values.index_select(axis, torch.tensor(numbers, device=values.device))
    steps = slice(numbers[0], numbers[-1] + 1, min(apart, default=1))
    return values[(slice(None),) * axis + (steps,)].contiguous()
