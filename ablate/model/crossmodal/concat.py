"""Concatenation: each EEG token joined with the latents of its own interval.

y + MLP([LN y; latents of the token's interval]),   y unchanged where the interval has no frame
"""

from typing import ClassVar, Literal

import torch
from einops import rearrange
from jaxtyping import Bool, Float
from torch import Tensor, nn

from ablate.config import Config
from ablate.contract import Fusion
from ablate.model.layer.linear import linear


class ConcatConfig(Config):
    """Own interval's latents joined to the token."""

    type: Literal["concat"] = "concat"
    needs_media: ClassVar[bool] = True

    def build(self, width: int, of_token: Tensor, intervals: int, latents: int) -> "ConcatFusion":
        """width: token width d. of_token: interval of each EEG token. latents: n."""
        return ConcatFusion(width, of_token, latents)


class ConcatFusion(Fusion):
    """The latents are flattened, so n is fixed when the model is built."""

    of_token: Tensor

    def __init__(self, width: int, of_token: Tensor, latents: int):
        super().__init__()
        self.register_buffer("of_token", of_token, persistent=False)
        self.norm = nn.LayerNorm(width)
        self.join = join((1 + latents) * width, width)

    def forward(
        self, tokens: Float[Tensor, "b e d"], media: Float[Tensor, "b i n d"], present: Bool[Tensor, "b i"]
    ) -> Float[Tensor, "b e d"]:
        own = rearrange(media, "b i n d -> b i (n d)")[:, self.of_token]  # (b, e, n d)
        joined = self.join(torch.cat([self.norm(tokens), own], dim=-1))
        return tokens + joined.masked_fill(~present[:, self.of_token][..., None], 0.0)


def join(width_in: int, width: int) -> nn.Module:
    """Two layers from the joined width to the token width."""
    return nn.Sequential(linear(width_in, 2 * width), nn.GELU(), linear(2 * width, width))
