"""Which rows of a recording a batch's windows are made of: worked out on the host, sent to the device in one copy."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Int
from torch import Tensor

from ablate.data.crossing import pinned

SENT = ("frames", "bins", "behaved", "told", "counted")


@dataclass(frozen=True)
class Rows:
    """frames: of the stimulus. bins: that are scored. behaved: rows of the behaviour, and told: whether each is one
    that the model may know; None without behaviour. counted: which bins count; None where all do. newest, the newest
    frame, stays on the host."""

    newest: Int[Tensor, " b"]
    frames: Int[Tensor, "b t"]
    bins: Int[Tensor, "b n"]
    behaved: Int[Tensor, "b t"] | None = None
    told: Bool[Tensor, "b t"] | None = None
    counted: Bool[Tensor, "b n"] | None = None


def sent(parts: Sequence[Rows], device: torch.device) -> list[Rows]:
    """The same rows with their indices on the device: one copy for a whole batch, from pinned memory, that waits for
    nothing. On the CPU they are there already."""
    if device.type == "cpu":
        return list(parts)
    named = [(number, name) for number, part in enumerate(parts) for name in SENT if vars(part)[name] is not None]
    given: list[Tensor] = [vars(parts[number])[name] for number, name in named]
    ends = np.cumsum([0, *(one.numel() for one in given)]).tolist()
    there = pinned(torch.cat([one.flatten().long() for one in given])).to(device, non_blocking=True)
    found: list[dict[str, Any]] = [{} for _ in parts]
    for (number, name), one, (start, stop) in zip(named, given, pairwise(ends), strict=True):
        found[number][name] = there[start:stop].view(one.shape).to(one.dtype)
    return [replace(part, **moved) for part, moved in zip(parts, found, strict=True)]
