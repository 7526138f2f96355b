"""EEGNet (Lawhern et al. 2018, arXiv 1611.08024) within each interval.

    temporal convolution -> depthwise spatial convolution -> ELU -> average pool -> separable convolution -> ELU ->
    average pool -> one linear map to the interval's tokens

Differs in: runs on each interval separately; group norm over a segment's own samples instead of batch norm, so that
a trial's score never depends on the trials beside it; pools sized to short segments.
"""

from typing import Literal

import torch
from einops import rearrange
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from ablate.config import Config
from ablate.contract import EegEncoder
from ablate.model.eeg.segments import cut, join, segment_samples
from ablate.model.eeg.stem import SpatioTemporal
from ablate.model.layer.linear import linear


class EegnetConfig(Config):
    """Temporal, spatial and separable convolutions."""

    type: Literal["eegnet"] = "eegnet"
    filters: int = Field(default=8, ge=1, le=256)
    """Temporal filters (F1)."""
    spatial: int = Field(default=2, ge=1, le=16)
    """Spatial filters for each temporal one (D)."""
    kernel_size: int = Field(default=15, ge=1, le=512)
    """Samples in a temporal filter; about half the sampling rate in the paper."""
    pool: int = Field(default=4, ge=1, le=32)
    """Samples averaged after the spatial filters."""
    tokens: int = Field(default=1, ge=1, le=64)
    """Tokens an interval."""
    dropout: float = Field(default=0.0, ge=0.0, lt=1.0)
    """Dropout after each pool."""

    def build(self, channels: int, samples: int, intervals: int, width: int) -> "Eegnet":
        """channels, samples: of one trial. intervals: i. width: token width d."""
        return Eegnet(self, channels, segment_samples(samples, intervals), intervals, width)


class Eegnet(EegEncoder):
    """(b, channels, samples) to (b, i * tokens, d)."""

    def __init__(self, config: EegnetConfig, channels: int, samples: int, intervals: int, width: int):
        super().__init__()
        self.intervals = intervals
        maps, pool = config.filters * config.spatial, min(config.pool, samples)
        self.features = nn.Sequential(
            SpatioTemporal(channels, config.filters, maps, config.kernel_size, grouped=True),
            nn.GroupNorm(1, maps),
            nn.ELU(),
            nn.AvgPool1d(pool),
            nn.Dropout(config.dropout),
            nn.Conv1d(maps, maps, 5, padding=2, groups=maps, bias=False),
            nn.Conv1d(maps, maps, 1),
            nn.ELU(),
            nn.Dropout(config.dropout),
        )
        self.token = linear(maps * (samples // pool), config.tokens * width)
        self.norm = nn.LayerNorm(width)
        self.width = width

    def forward(self, eeg: Float[Tensor, "b c t"]) -> Float[Tensor, "b e d"]:
        maps = self.features(cut(eeg, self.intervals))  # (s, maps, p / pool)
        tokens = self.token(torch.flatten(maps, start_dim=1))
        return join(self.norm(rearrange(tokens, "s (k d) -> s k d", d=self.width)), self.intervals)
