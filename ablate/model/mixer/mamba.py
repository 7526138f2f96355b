"""Selective state-space model Mamba (Gu & Dao 2023, arXiv 2312.00752).

    [z, g] = W_in x;  z <- SiLU(causal depthwise conv_4(z));  dt, B, C = functions of z
    h_j = exp(dt_j A) h_{j-1} + dt_j B_j z_j;  y_j = C_j h_j + D z_j;  out = W_out (y * SiLU(g))

Differs in: nothing but the scan, which is a plain loop (sequences have at most a few hundred frames); the fused kernel
of the package `mamba_ssm` is used on a GPU where it can be imported. `hidden` is the width of z; null takes twice the
token width, as in the paper. A_log and D take no weight decay.
"""

import math
from collections.abc import Callable
from typing import Literal

import torch
from einops import rearrange, repeat
from jaxtyping import Bool, Float
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from ablate.contract import Mixer, no_decay
from ablate.model.layer.linear import linear
from ablate.model.mixer.base import MixerConfig


class MambaConfig(MixerConfig):
    """Selective state-space model."""

    type: Literal["mamba"] = "mamba"
    hidden: int | None = Field(default=None, ge=1, le=16_384)
    """Inner width; null takes twice the token width."""
    state: int = Field(default=16, ge=1, le=256)
    """State size of a channel."""
    conv_size: int = Field(default=4, ge=1, le=16)
    """Frames in the depthwise convolution."""

    def build(self, width: int, intervals: int, frames: int) -> Mixer:
        doubled = self.model_copy(update={"hidden": self.hidden or 2 * width})
        return super(MambaConfig, doubled).build(width, intervals, frames)

    def layer(self, width: int, hidden: int, length: int) -> nn.Module:
        return MambaLayer(width, hidden, self.state, self.conv_size)


class MambaLayer(nn.Module):
    """The Mamba block without its norm and residual, which `Mixer` adds."""

    def __init__(self, width: int, hidden: int, state: int, conv_size: int):
        super().__init__()
        self.rank, self.state = math.ceil(width / 16), state
        self.into = linear(width, 2 * hidden, bias=False)
        self.conv = nn.Conv1d(hidden, hidden, conv_size, groups=hidden)
        self.select = linear(hidden, self.rank + 2 * state, bias=False)
        self.dt = nn.Linear(self.rank, hidden)
        self.a_log = no_decay(nn.Parameter(torch.log(torch.arange(1, state + 1).float()).repeat(hidden, 1)))
        self.skip = no_decay(nn.Parameter(torch.ones(hidden)))  # D
        self.out = linear(hidden, width, bias=False)
        self._start_dt(hidden)

    def _start_dt(self, hidden: int) -> None:
        """softplus(bias) starts log-uniform in [0.001, 0.1], as in the reference implementation."""
        dt = torch.exp(torch.rand(hidden) * (math.log(0.1) - math.log(0.001)) + math.log(0.001)).clamp(min=1e-4)
        with torch.no_grad():
            self.dt.bias.copy_(dt + torch.log(-torch.expm1(-dt)))
        nn.init.uniform_(self.dt.weight, -(self.rank**-0.5), self.rank**-0.5)

    def forward(self, x: Float[Tensor, "s l d"], valid: Bool[Tensor, "s l"]) -> Float[Tensor, "s l d"]:
        z, gate = self.into(x).chunk(2, dim=-1)
        z = functional.pad(rearrange(z, "s l h -> s h l"), (self.conv.kernel_size[0] - 1, 0))
        z = functional.silu(rearrange(self.conv(z), "s h l -> s l h"))
        rank, b, c = self.select(z).split([self.rank, self.state, self.state], dim=-1)
        dt = functional.softplus(self.dt(rank))
        y = selective_scan(z, dt, -torch.exp(self.a_log), b, c) + z * self.skip
        return self.out(y * functional.silu(gate))


def selective_scan(
    z: Float[Tensor, "s l h"],
    dt: Float[Tensor, "s l h"],
    a: Float[Tensor, "h n"],
    b: Float[Tensor, "s l n"],
    c: Float[Tensor, "s l n"],
) -> Float[Tensor, "s l h"]:
    """y_j = C_j h_j with h_j = exp(dt_j A) h_{j-1} + dt_j B_j z_j, without the skip."""
    kernel = fused_scan() if z.is_cuda else None
    if kernel is not None:
        moved = [rearrange(part, "s l h -> s h l").contiguous() for part in (z, dt, b, c)]
        return rearrange(kernel(moved[0], moved[1], a, moved[2], moved[3]), "s h l -> s l h")
    decay = torch.exp(dt[..., None] * a)  # (s, l, h, n)
    drive = (dt * z)[..., None] * b[:, :, None]
    state = repeat(torch.zeros_like(z[:, 0]), "s h -> s h n", n=a.shape[1])
    outputs = []
    for step_decay, step_drive, step_c in zip(decay.unbind(1), drive.unbind(1), c.unbind(1), strict=True):
        state = step_decay * state + step_drive
        outputs.append((state * step_c[:, None]).sum(dim=-1))
    return torch.stack(outputs, dim=1)


def fused_scan() -> Callable[..., Tensor] | None:
    """The fused kernel where its package is installed, else None."""
    try:
        from mamba_ssm.ops.selective_scan_interface import selective_scan_fn
    except ImportError:
        return None
    return selective_scan_fn
