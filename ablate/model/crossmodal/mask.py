"""Which interval's latents an EEG token may see, from an explicit interval index of both sides.

    own:   interval(token) == interval(latent)
    past:  interval(token) >= interval(latent)
    all:   every latent
    shift: interval(token) == interval(latent) + 1; tokens of the first interval see nothing

Never from a running count of markers, with which one missing clip shifts all later tokens to the wrong interval.
"""

from typing import Literal

import torch
from jaxtyping import Bool, Int
from torch import Tensor

MaskName = Literal["own", "past", "all", "shift"]


def interval_mask(name: MaskName, of_token: Int[Tensor, " e"], of_latent: Int[Tensor, " k"]) -> Bool[Tensor, "e k"]:
    """True where the token may see the latent."""
    distance = of_token[:, None] - of_latent[None]
    if name == "own":
        return distance == 0
    if name == "past":
        return distance >= 0
    if name == "shift":
        return distance == 1
    return torch.ones_like(distance, dtype=torch.bool)
