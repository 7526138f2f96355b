"""RMSNorm over the last axis, x / sqrt(mean(x^2) + eps) * weight, in float32 whatever the precision around it.

Reference: Zhang and Sennrich 2019. The same numbers as timm's `RmsNormFp32`, to the last bit (a test compares them);
it stands here because importing timm loads torchvision and torch's compiler, longer than all else that a command loads.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

EPS = 1e-6


class RmsNorm(nn.Module):
    """One gain a channel of the last axis."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x: Float[Tensor, "... d"]) -> Float[Tensor, "... d"]:
        values = x.float()
        scale = torch.rsqrt(values.pow(2).mean(dim=-1, keepdim=True) + EPS)
        return (values * scale * self.weight.float()).to(x.dtype)
