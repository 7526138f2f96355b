"""Diagonal state-space model S4D (Gu, Gupta, Goel & Re 2022, arXiv 2206.11893), S4D-Lin initialisation.

    x_j = A' x_{j-1} + B' u_j,  y_j = 2 Re(C x_j) + D u_j,      A_n = -1/2 + i pi n
    A' = exp(dt A),  B' = (A' - 1) / A                          (zero-order hold, B = 1)

Run as a convolution with the kernel K_l = 2 Re sum_n C_n B'_n A'_n^l, by FFT; then GELU and a gated linear unit.
Differs in: dt starts log-uniform in [1 / (4 length), 1], since sequences here have tens of frames, not thousands, and
linear maps lead into and out of the inner width.
"""

import math
from typing import Literal

import torch
from einops import rearrange
from jaxtyping import Bool, Complex, Float
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from ablate.contract import no_decay
from ablate.model.layer.linear import linear
from ablate.model.mixer.base import MixerConfig


class S4dConfig(MixerConfig):
    """Diagonal state-space model."""

    type: Literal["s4d"] = "s4d"
    state: int = Field(default=16, ge=2, le=256, multiple_of=2)
    """Real size of a channel's state: half as many complex modes."""

    def layer(self, width: int, hidden: int, length: int) -> nn.Module:
        return S4dLayer(width, hidden, self.state, length)


class S4dLayer(nn.Module):
    """A linear map in, the state-space convolution, GELU, a gated linear unit out."""

    def __init__(self, width: int, hidden: int, state: int, length: int):
        super().__init__()
        self.into = linear(width, hidden)
        self.kernel = S4dKernel(hidden, state, length)
        self.skip = nn.Parameter(torch.randn(hidden))  # D
        self.out = linear(hidden, 2 * width)

    def forward(self, x: Float[Tensor, "s l d"], valid: Bool[Tensor, "s l"]) -> Float[Tensor, "s l d"]:
        u = rearrange(self.into(x), "s l h -> s h l")
        u = u.masked_fill(~valid[:, None], 0.0)  # the FFT would spread a single NaN everywhere
        y = causal_fft_conv(u, self.kernel(u.shape[-1])) + u * self.skip[:, None]
        return functional.glu(self.out(rearrange(functional.gelu(y), "s h l -> s l h")), dim=-1)


class S4dKernel(nn.Module):
    """The convolution kernel (h, l) from the diagonal state space; its parameters take no weight decay."""

    def __init__(self, hidden: int, state: int, length: int):
        super().__init__()
        modes = state // 2
        low, high = math.log(1 / (4 * length)), math.log(1.0)
        self.log_dt = no_decay(nn.Parameter(low + (high - low) * torch.rand(hidden)))
        self.log_decay = no_decay(nn.Parameter(torch.full((hidden, modes), math.log(0.5))))  # -Re A
        self.frequency = no_decay(nn.Parameter(math.pi * torch.arange(modes).float().repeat(hidden, 1)))  # Im A
        self.c = nn.Parameter(torch.randn(hidden, modes, 2) * math.sqrt(0.5))

    def discrete(self) -> tuple[Complex[Tensor, "h m"], Complex[Tensor, "h m"], Complex[Tensor, "h m"]]:
        """A', B', C by zero-order hold."""
        a = torch.complex(-self.log_decay.exp(), self.frequency)
        a_bar = torch.exp(self.log_dt.exp()[:, None] * a)
        return a_bar, (a_bar - 1) / a, torch.complex(self.c[..., 0], self.c[..., 1])

    def forward(self, length: int) -> Float[Tensor, "h l"]:
        a_bar, b_bar, c = self.discrete()
        powers = a_bar[..., None] ** torch.arange(length, device=a_bar.device)
        return 2 * torch.einsum("hm,hml->hl", b_bar * c, powers).real


def causal_fft_conv(u: Float[Tensor, "s h l"], kernel: Float[Tensor, "h l"]) -> Float[Tensor, "s h l"]:
    """Linear (not circular) convolution, causal up to rounding: about 4e-8 of a later frame comes through."""
    length = u.shape[-1]
    spectrum = torch.fft.rfft(u.float(), n=2 * length) * torch.fft.rfft(kernel.float(), n=2 * length)
    return torch.fft.irfft(spectrum, n=2 * length)[..., :length].to(u.dtype)
