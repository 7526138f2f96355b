"""Pooling by multi-head attention (Lee et al. 2019, "Set Transformer", arXiv 1810.00825).

n seed vectors query the frames:

    PMA(Z) = MAB(S, rFF(Z)),  MAB(X, Y) = LN(H + rFF(H)),  H = LN(X + Attention(X, Y, Y))

Differs in: learned frame positions are added to Z (`positions`), since a set has no order but frames have; invisible
frames are masked; an interval without frames gives exactly zero.
"""

from typing import Literal

import torch
from einops import rearrange, repeat
from jaxtyping import Bool, Float
from pydantic import Field
from torch import Tensor, nn

from ablate.config import Config
from ablate.contract import Compressor
from ablate.model.compressor.position import FramePosition
from ablate.model.layer.attention.masked_attention import CrossAttention, check_heads
from ablate.model.layer.linear import linear


class PmaConfig(Config):
    """Seed vectors that attend to the frames."""

    type: Literal["pma"] = "pma"
    latents: int = Field(default=4, ge=1, le=64)
    """Seed vectors, so latents an interval (n)."""
    heads: int = Field(default=4, ge=1, le=64)
    """Attention heads; must divide the token width."""
    positions: bool = True
    """Frame position embeddings. Without them the compressor is blind to order."""

    def build(self, width: int, frames: int) -> "PmaCompressor":
        """width: token width d. frames: f, tokens an interval at most."""
        check_heads(width, self.heads, "baseline.compressor.heads")
        return PmaCompressor(width, frames, self.latents, self.heads, self.positions)


class PmaCompressor(Compressor):
    """n latents an interval; zero where the interval has no frame."""

    def __init__(self, width: int, frames: int, latents: int, heads: int, positions: bool):
        super().__init__()
        self.latents = latents
        self.position = FramePosition(frames, width, positions)
        self.seeds = nn.Parameter(torch.randn(latents, width) * width**-0.5)
        self.before = row_feed_forward(width)
        self.attention = CrossAttention(width, heads)
        self.norm_attention = nn.LayerNorm(width)
        self.after = row_feed_forward(width)
        self.norm_out = nn.LayerNorm(width)

    def forward(self, tokens: Float[Tensor, "b i f d"], mask: Bool[Tensor, "b i f"]) -> Float[Tensor, "b i n d"]:
        z = self.before(rearrange(self.position(tokens, mask), "b i f d -> (b i) f d"))
        seeds = repeat(self.seeds, "n d -> s n d", s=z.shape[0])
        visible = repeat(mask, "b i f -> (b i) n f", n=self.latents)
        hidden = self.norm_attention(seeds + self.attention(seeds, z, visible))
        out = self.norm_out(hidden + self.after(hidden))
        out = rearrange(out, "(b i) n d -> b i n d", b=tokens.shape[0])
        return out.masked_fill(~mask.any(dim=2)[..., None, None], 0.0)


def row_feed_forward(width: int) -> nn.Module:
    """rFF: the same small network on every row."""
    return nn.Sequential(linear(width, width), nn.ReLU(), linear(width, width))
