"""Self-attention over frames (Vaswani et al. 2017), pre-norm, with rotary positions (Su et al. 2021).

    y = A(x) + FF(RMSNorm(x + A(x)))            one residual branch of `MixerStack`; A attends to earlier frames only
                                                (direction forward) or to all frames of the sequence (both)

Positions count the valid frames of a sequence, so that pads do not move them.
"""

from typing import ClassVar, Literal

import torch
from einops import rearrange
from jaxtyping import Bool, Float
from pydantic import Field
from torch import Tensor, nn

from ablate.errors import AblateError
from ablate.model.layer.attention.masked_attention import attend
from ablate.model.layer.linear import linear
from ablate.model.layer.norm import RmsNorm
from ablate.model.mixer.base import MixerConfig


class TransformerMixerConfig(MixerConfig):
    """Self-attention over frames."""

    type: Literal["transformer"] = "transformer"
    heads: int = Field(default=4, ge=1, le=64)
    """Attention heads; must divide the token width into even heads."""
    hidden: int | None = Field(default=None, ge=1, le=16_384)
    """Width of the feed-forward layer; null takes the token width."""

    sees_both_ways: ClassVar[bool] = True

    def layer(self, width: int, hidden: int, length: int) -> nn.Module:
        if width % (2 * self.heads):
            raise AblateError(
                f"{self.heads} heads do not divide the token width {width} into even parts",
                where="baseline.mixer.heads",
                hint="choose a number of heads that divides half of `embedding_dim`",
            )
        return TransformerLayer(width, hidden, self.heads, causal=self.direction == "forward")


class TransformerLayer(nn.Module):
    """Attention and feed-forward; `Mixer` adds the norm before and the residual around."""

    def __init__(self, width: int, hidden: int, heads: int, causal: bool):
        super().__init__()
        self.heads, self.causal = heads, causal
        self.qkv = linear(width, 3 * width)
        self.project = linear(width, width)
        self.norm = RmsNorm(width)
        self.feed_forward = nn.Sequential(linear(width, hidden), nn.GELU(), linear(hidden, width))

    def forward(self, x: Float[Tensor, "s l d"], valid: Bool[Tensor, "s l"]) -> Float[Tensor, "s l d"]:
        q, k, v = rearrange(self.qkv(x), "s l (three h d) -> three s h l d", three=3, h=self.heads)
        length = x.shape[1]
        visible = valid[:, None, None, :]
        if self.causal:
            visible = visible & torch.ones(length, length, dtype=torch.bool, device=x.device).tril()
        attended = attend(rotate(q), rotate(k), v, visible.expand(-1, 1, length, -1))
        mixed = self.project(rearrange(attended, "s h l d -> s l (h d)"))
        return mixed + self.feed_forward(self.norm(x + mixed))


def rotate(x: Float[Tensor, "s h l d"]) -> Float[Tensor, "s h l d"]:
    """Rotary positions: pairs of channels turned by position times frequency 10000^(-2j/d)."""
    half = x.shape[-1] // 2
    frequency = 10000.0 ** (-torch.arange(half, device=x.device) / half)
    angle = torch.arange(x.shape[-2], device=x.device)[:, None] * frequency
    a, b = x.chunk(2, dim=-1)
    return torch.cat([a * angle.cos() - b * angle.sin(), a * angle.sin() + b * angle.cos()], dim=-1).to(x.dtype)
