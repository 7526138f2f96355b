"""No EEG: one learned token an interval in place of it, so that the video stands alone."""

from typing import Literal

import torch
from einops import repeat
from jaxtyping import Float
from torch import Tensor, nn

from ablate.config import Config
from ablate.contract import EegEncoder


class NoEegConfig(Config):
    """Learned tokens that know no EEG."""

    type: Literal["none"] = "none"

    def build(self, channels: int, samples: int, intervals: int, width: int) -> "NoEeg":
        """intervals: i. width: token width d."""
        return NoEeg(intervals, width)


class NoEeg(EegEncoder):
    """The same tokens for every trial."""

    def __init__(self, intervals: int, width: int):
        super().__init__()
        self.tokens = nn.Parameter(torch.randn(intervals, width))

    def forward(self, eeg: Float[Tensor, "b c t"]) -> Float[Tensor, "b e d"]:
        return repeat(self.tokens, "e d -> b e d", b=eeg.shape[0])
