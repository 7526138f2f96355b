"""RMSNorm over the channels of a map: y_c = x_c / sqrt(mean_c x^2 + eps) * gain_c + bias_c (Zhang and Sennrich 2019).

Differs in: a bias beside the gain, and one norm for each place and time step of the map. Computed in float32.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn


class ChannelRmsNorm(nn.Module):
    """Normalises `b c ...` over c."""

    def __init__(self, channels: int, eps: float = 1e-6):
        super().__init__()
        self.eps = eps
        self.gain = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Float[Tensor, "b c *rest"]) -> Float[Tensor, "b c *rest"]:
        shape = (-1,) + (1,) * (x.ndim - 2)
        wide = x.float()
        scale = torch.rsqrt(wide.square().mean(dim=1, keepdim=True) + self.eps)
        return torch.addcmul(self.bias.view(shape), wide * scale, self.gain.view(shape)).to(x.dtype)
