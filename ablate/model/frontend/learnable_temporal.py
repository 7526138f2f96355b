"""One learned temporal filter bank, the same at every pixel.

    out[c, t] = sum_n K[c, n] w[n] video[t - (taps - 1) + n],    n = 0 the oldest tap, n = taps - 1 the newest

K starts as a Gaussian, its first and its second derivative, then random kernels under that Gaussian, each of unit
norm. `anti_aliasing` multiplies K by the window w on every pass: no parameters, no FLOPs. It tapers the kernel and
so narrows what it can pass, but it is no low-pass before the core's stride; `type: blur` is.

Reference: Yates-Lab/VisionCore, `learnable_temporal`. Differs in: `padding: causal` keeps every frame (the lab's was
`valid`), and `window: hann` has no dead tap (the lab's symmetric window is zero at both ends, so that the newest and
the oldest tap never learn: `hann_dead_ends`).
"""

from dataclasses import replace
from typing import Literal

import torch
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from ablate.config import Config
from ablate.contract import FeatureMap, Frontend
from ablate.model.frontend.temporal import TemporalFilter, initial_kernels

Window = Literal["hann", "hann_periodic", "hann_dead_ends"]
Padding = Literal["causal", "valid"]


class LearnableTemporalConfig(Config):
    """A learned temporal filter bank at every pixel."""

    type: Literal["learnable_temporal"] = "learnable_temporal"
    channels: int = Field(default=4, ge=1, le=16_384)
    """Filters a pixel."""
    taps: int = Field(default=16, ge=2)
    """Frames that a filter sees."""
    anti_aliasing: bool = False
    """Multiply the kernels by `window` on every pass."""
    window: Window = "hann"
    """`hann` has no dead tap; `hann_periodic` has its zero at the oldest; `hann_dead_ends` is the lab's, zero at
    both ends. Read only with `anti_aliasing`."""
    padding: Padding = "causal"
    """`causal` keeps every frame; `valid` drops the oldest taps - 1, which see too little."""

    def build(self, input: FeatureMap) -> "LearnableTemporal":
        return LearnableTemporal(self, input)


class LearnableTemporal(Frontend):
    """Filters time at every pixel; the newest frame stays the newest."""

    taper: Float[Tensor, " taps"]

    def __init__(self, config: LearnableTemporalConfig, input: FeatureMap) -> None:
        super().__init__()
        self.out = replace(input, channels=config.channels)
        self.kernels = nn.Parameter(initial_kernels(config.channels, input.channels, config.taps))
        taper = window(config.window, config.taps) if config.anti_aliasing else torch.ones(config.taps)
        self.register_buffer("taper", taper, persistent=False)
        self.filter = TemporalFilter(config.padding)
        self.receptive_field = {"frames": config.taps}
        self.config = config

    def forward(self, video: Float[Tensor, "b c t h w"]) -> Float[Tensor, "b c2 t2 h w"]:
        return self.filter(video, self.kernels * self.taper)

    def lints(self) -> tuple[str, ...]:
        """A window that is not applied, and taps that never learn."""
        config = self.config
        found = []
        if not config.anti_aliasing and config.window != "hann":
            found.append("window: nothing reads it, anti_aliasing is false")
        if config.anti_aliasing and config.window == "hann_dead_ends":
            found.append(
                "window: hann_dead_ends is zero at both ends, so the newest and the oldest tap get no gradient"
            )
        return tuple(found)


def window(name: Window, taps: int) -> Float[Tensor, " taps"]:
    """The window, oldest tap first. sin^2 with its zeros outside the kernel, at the oldest tap, or at both ends."""
    count = torch.arange(taps, dtype=torch.float64)
    if name == "hann":
        phase = (count + 1) / (taps + 1)
    elif name == "hann_periodic":
        phase = count / taps
    else:
        phase = count / (taps - 1)
    return (torch.sin(torch.pi * phase) ** 2).float()
