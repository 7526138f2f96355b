"""A learned temporal filter bank followed by a fixed low-pass: what anti-aliasing means when it is meant.

    out = binomial(blur_taps) * K * video,    binomial(5) = [1 4 6 4 1] / 16

The core samples time every few frames; frequencies above half of that rate fold into it unless they are taken out
first. A binomial filter takes them out (its response is cos^(blur_taps - 1)(pi f)), where a window on K
(`learnable_temporal`, `anti_aliasing: true`) only shapes the learned kernel. Both filters are linear, so they are
one kernel of taps + blur_taps - 1 frames: no parameters, few FLOPs. Reference: Zhang 2019, "Making convolutional
networks shift-invariant again". Causal: it delays by (blur_taps - 1) / 2 frames.
"""

from dataclasses import replace
from math import comb
from typing import Literal

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from ablate.config import Config
from ablate.contract import FeatureMap, Frontend
from ablate.model.frontend.temporal import TemporalFilter, initial_kernels


class BlurConfig(Config):
    """A learned temporal filter bank followed by a fixed binomial low-pass in time."""

    type: Literal["blur"] = "blur"
    channels: int = Field(default=4, ge=1, le=16_384)
    """Filters a pixel."""
    taps: int = Field(default=16, ge=2)
    """Frames that a learned filter sees."""
    blur_taps: int = Field(default=5, ge=1, le=16_384)
    """Frames of the fixed low-pass after it; 1 is none."""
    padding: Literal["causal", "valid"] = "causal"
    """`causal` keeps every frame; `valid` drops the oldest taps + blur_taps - 2, which see too little."""

    def build(self, input: FeatureMap) -> "Blur":
        return Blur(self, input)


class Blur(Frontend):
    """Learned temporal filters, low-passed; the newest frame stays the newest."""

    low_pass: Float[Tensor, " taps"]

    def __init__(self, config: BlurConfig, input: FeatureMap) -> None:
        super().__init__()
        self.out = replace(input, channels=config.channels)
        self.kernels = nn.Parameter(initial_kernels(config.channels, input.channels, config.taps))
        order = config.blur_taps - 1
        low_pass = torch.tensor([comb(order, tap) / 2**order for tap in range(config.blur_taps)])
        self.register_buffer("low_pass", low_pass, persistent=False)
        self.filter = TemporalFilter(config.padding)
        self.receptive_field = {"frames": config.taps + order}

    def forward(self, video: Float[Tensor, "b c t h w"]) -> Float[Tensor, "b c2 t2 h w"]:
        return self.filter(video, self._kernels())

    def _kernels(self) -> Float[Tensor, "c2 c taps"]:
        """The learned kernels convolved with the low-pass (symmetric, so correlation is convolution)."""
        channels, inputs, taps = self.kernels.shape
        order = len(self.low_pass) - 1
        flat = self.kernels.reshape(channels * inputs, 1, taps)
        longer = functional.conv1d(flat, self.low_pass.to(flat.dtype)[None, None], padding=order)
        return longer.reshape(channels, inputs, taps + order)
