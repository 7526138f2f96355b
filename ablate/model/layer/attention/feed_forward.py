"""SwiGLU, (silu(a) * b) W2 + b2 with [a, b] = x W1 + b1, D -> 2 ff -> D, and the branch skipped for a whole sample.

References: Shazeer 2020; Huang et al. 2016 (drop-path). The same numbers as timm's `GluMlp` and `DropPath`, to the last
bit (a test compares them), without the seconds that importing timm takes.
"""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional


class SwiGlu(nn.Module):
    """Dropout follows the output map."""

    def __init__(self, width: int, ff_dim: int, dropout: float) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, 2 * ff_dim)
        self.fc2 = nn.Linear(ff_dim, width)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Float[Tensor, "... d"]) -> Float[Tensor, "... d"]:
        gate, value = self.fc1(x).chunk(2, dim=-1)
        return self.dropout(self.fc2(functional.silu(gate) * value))


class DropPath(nn.Module):
    """In training a sample's branch is zero with probability `share`, and scaled by 1 / (1 - share) otherwise."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def forward(self, x: Float[Tensor, "b ..."]) -> Float[Tensor, "b ..."]:
        if not self.share or not self.training:
            return x
        kept = x.new_empty(len(x), *[1] * (x.ndim - 1)).bernoulli_(1 - self.share)
        return x * kept.div_(1 - self.share)
