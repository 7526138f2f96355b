"""Gated recurrent unit over frames (Cho et al. 2014), with a linear map from its state back to the token width.

    h_j = GRU(x_j, h_{j-1}),  y_j = W h_j

Differs in: a residual branch around it (see base).
"""

from typing import Literal

from jaxtyping import Bool, Float
from torch import Tensor, nn

from ablate.model.layer.linear import linear, recurrent
from ablate.model.mixer.base import MixerConfig


class GruConfig(MixerConfig):
    """Gated recurrent unit."""

    type: Literal["gru"] = "gru"

    def layer(self, width: int, hidden: int, length: int) -> nn.Module:
        return GruLayer(width, hidden)


class GruLayer(nn.Module):
    """No packing: valid frames lie at the left, so that the state at each of them has met no pad."""

    def __init__(self, width: int, hidden: int):
        super().__init__()
        self.gru = recurrent(width, hidden)
        self.out = linear(hidden, width)

    def forward(self, x: Float[Tensor, "s l d"], valid: Bool[Tensor, "s l"]) -> Float[Tensor, "s l d"]:
        states, _ = self.gru(x)
        return self.out(states)
