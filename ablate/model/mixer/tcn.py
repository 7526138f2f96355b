"""Temporal convolutional network (Bai, Kolter & Koltun 2018, arXiv 1803.01271).

A layer is a stack of `blocks` residual blocks; block j holds two causal convolutions of dilation 2^j:

    z <- z + ReLU(conv(ReLU(conv(z)))),  receptive field 1 + 2 (kernel_size - 1) (2^blocks - 1) frames

Differs in: no weight normalisation (the branch is RMS-normalised), and linear maps into and out of the inner width.
"""

from typing import Literal

from einops import rearrange
from jaxtyping import Bool, Float
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from ablate.model.layer.linear import convolution, linear
from ablate.model.mixer.base import MixerConfig


class TcnConfig(MixerConfig):
    """Causal dilated convolutions."""

    type: Literal["tcn"] = "tcn"
    kernel_size: int = Field(default=3, ge=2, le=31)
    """Frames in one kernel."""
    blocks: int = Field(default=2, ge=1, le=10)
    """Residual blocks of a layer; dilation doubles from one to the next."""

    def layer(self, width: int, hidden: int, length: int) -> nn.Module:
        return TcnLayer(width, hidden, self.kernel_size, self.blocks)

    def receptive_field(self) -> int:
        """Frames that one output frame depends on."""
        return 1 + self.depth * 2 * (self.kernel_size - 1) * (2**self.blocks - 1)


class TcnLayer(nn.Module):
    """Blocks of two causal convolutions between two linear maps."""

    def __init__(self, width: int, hidden: int, kernel_size: int, blocks: int):
        super().__init__()
        self.into = linear(width, hidden)
        self.first = nn.ModuleList(convolution(hidden, hidden, kernel_size, dilation=2**j) for j in range(blocks))
        self.second = nn.ModuleList(convolution(hidden, hidden, kernel_size, dilation=2**j) for j in range(blocks))
        self.out = linear(hidden, width)

    def forward(self, x: Float[Tensor, "s l d"], valid: Bool[Tensor, "s l"]) -> Float[Tensor, "s l d"]:
        z = rearrange(self.into(x), "s l d -> s d l")
        for first, second in zip(self.first, self.second, strict=True):
            inner = functional.relu(causal(first, z))
            z = z + functional.relu(causal(second, inner))
        return self.out(rearrange(z, "s d l -> s l d"))


def causal(conv: nn.Module, x: Float[Tensor, "s d l"]) -> Float[Tensor, "s d2 l"]:
    """The convolution with all its padding at the old end."""
    assert isinstance(conv, nn.Conv1d)
    reach = (conv.kernel_size[0] - 1) * conv.dilation[0]
    return conv(functional.pad(x, (reach, 0)))
