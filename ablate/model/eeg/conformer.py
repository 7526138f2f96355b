"""EEG Conformer (Song et al. 2022, IEEE TNSRE 31) within each interval: a convolutional stem, then self-attention.

    temporal convolution -> spatial convolution -> ELU -> average pool -> tokens -> transformer layers

Differs in: runs on each interval separately, so that attention spans no two of them; group norm over a segment's own
samples instead of batch norm; learned positions; pools sized to short segments.
"""

from typing import Literal

import torch
from einops import rearrange
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from ablate.config import Config
from ablate.contract import EegEncoder
from ablate.errors import AblateError
from ablate.model.eeg.segments import cut, join, segment_samples
from ablate.model.eeg.stem import SpatioTemporal
from ablate.model.layer.attention.masked_attention import SelfAttentionBlock, check_heads
from ablate.model.layer.linear import linear
from ablate.model.layer.position import positions


class ConformerConfig(Config):
    """Convolutional stem and self-attention."""

    type: Literal["conformer"] = "conformer"
    filters: int = Field(default=32, ge=1, le=256)
    """Temporal filters, and spatial ones after them."""
    kernel_size: int = Field(default=15, ge=1, le=512)
    """Samples in a temporal filter."""
    pool: int = Field(default=8, ge=1, le=128)
    """Samples averaged into one token."""
    depth: int = Field(default=1, ge=1, le=24)
    """Transformer layers."""
    heads: int = Field(default=4, ge=1, le=64)
    """Attention heads; must divide the token width."""

    def build(self, channels: int, samples: int, intervals: int, width: int) -> "Conformer":
        """channels, samples: of one trial. intervals: i. width: token width d."""
        check_heads(width, self.heads, "baseline.eeg.heads")
        length = segment_samples(samples, intervals)
        if length < self.pool:
            raise AblateError(
                f"an interval of {length} EEG samples is shorter than the pool of {self.pool}",
                where="baseline.eeg.pool",
                hint=f"choose a pool of at most {length}",
            )
        return Conformer(self, channels, length, intervals, width)


class Conformer(EegEncoder):
    """(b, channels, samples) to (b, i * tokens, d), tokens = samples of an interval // pool."""

    def __init__(self, config: ConformerConfig, channels: int, samples: int, intervals: int, width: int):
        super().__init__()
        self.intervals = intervals
        self.stem = nn.Sequential(
            SpatioTemporal(channels, config.filters, config.filters, config.kernel_size, grouped=False),
            nn.GroupNorm(1, config.filters),
            nn.ELU(),
            nn.AvgPool1d(config.pool),
        )
        self.project = linear(config.filters, width)
        self.position = positions(samples // config.pool, width)
        self.layers = nn.ModuleList(SelfAttentionBlock(width, config.heads) for _ in range(config.depth))
        self.norm = nn.LayerNorm(width)

    def forward(self, eeg: Float[Tensor, "b c t"]) -> Float[Tensor, "b e d"]:
        maps = self.stem(cut(eeg, self.intervals))
        x = self.project(rearrange(maps, "s m k -> s k m")) + self.position
        everything = torch.ones(len(x), x.shape[1], x.shape[1], dtype=torch.bool, device=x.device)
        for layer in self.layers:
            x = layer(x, everything)
        return join(self.norm(x), self.intervals)
