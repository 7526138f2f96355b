"""Perceiver Resampler (Alayrac et al. 2022, "Flamingo", arXiv 2204.14198).

Learned latents read the frames in a few layers:

    x <- x + Attention(LN x, [LN frames; LN x]);  x <- x + FF(LN x);  LN at the end

Differs in: learned frame positions are optional (`positions`), invisible frames are masked, and an interval without
frames gives exactly zero.
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
from ablate.model.layer.attention.masked_attention import CrossAttention, check_heads, feed_forward


class ResamplerConfig(Config):
    """Learned latents that read frames and each other."""

    type: Literal["resampler"] = "resampler"
    latents: int = Field(default=4, ge=1, le=64)
    """Latents an interval (n)."""
    heads: int = Field(default=4, ge=1, le=64)
    """Attention heads; must divide the token width."""
    depth: int = Field(default=2, ge=1, le=12)
    """Layers."""
    positions: bool = True
    """Frame position embeddings. Without them the compressor is blind to order."""

    def build(self, width: int, frames: int) -> "ResamplerCompressor":
        """width: token width d. frames: f, tokens an interval at most."""
        check_heads(width, self.heads, "baseline.compressor.heads")
        return ResamplerCompressor(self, width, frames)


class ResamplerCompressor(Compressor):
    """n latents an interval; zero where the interval has no frame."""

    def __init__(self, config: ResamplerConfig, width: int, frames: int):
        super().__init__()
        self.latents = config.latents
        self.position = FramePosition(frames, width, config.positions)
        self.queries = nn.Parameter(torch.randn(config.latents, width) * width**-0.5)
        self.layers = nn.ModuleList(ResamplerLayer(width, config.heads) for _ in range(config.depth))
        self.norm = nn.LayerNorm(width)

    def forward(self, tokens: Float[Tensor, "b i f d"], mask: Bool[Tensor, "b i f"]) -> Float[Tensor, "b i n d"]:
        frames = rearrange(self.position(tokens, mask), "b i f d -> (b i) f d")
        x = repeat(self.queries, "n d -> s n d", s=frames.shape[0])
        visible = repeat(mask, "b i f -> (b i) n f", n=self.latents)
        visible = torch.cat([visible, visible.new_ones(*visible.shape[:2], self.latents)], dim=2)
        for layer in self.layers:
            x = layer(x, frames, visible)
        out = rearrange(self.norm(x), "(b i) n d -> b i n d", b=tokens.shape[0])
        return out.masked_fill(~mask.any(dim=2)[..., None, None], 0.0)


class ResamplerLayer(nn.Module):
    """Latents attend to [frames; latents], then a feed-forward network; both pre-norm and residual."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.norm_latents = nn.LayerNorm(width)
        self.norm_frames = nn.LayerNorm(width)
        self.attention = CrossAttention(width, heads)
        self.feed_forward = feed_forward(width)

    def forward(
        self, x: Float[Tensor, "s n d"], frames: Float[Tensor, "s f d"], visible: Bool[Tensor, "s n k"]
    ) -> Float[Tensor, "s n d"]:
        normed = self.norm_latents(x)
        x = x + self.attention(normed, torch.cat([self.norm_frames(frames), normed], dim=1), visible)
        return x + self.feed_forward(x)
