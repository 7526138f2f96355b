"""Pre-norm transformer block: x + attention(norm(x)), then x + feed_forward(norm(x)).

Feed-forward SwiGLU: (silu(a) * b) W2 + b2 with [a, b] = x W1 + b1, D -> 2 ff -> D (Shazeer 2020). Norms are RMSNorm.
Dropout follows each branch; drop-path (Huang et al. 2016) skips a branch for a whole sample, not for a group of it.
"""

from jaxtyping import Float
from torch import Tensor, nn

from ablate.model.layer.attention.feed_forward import DropPath, SwiGlu
from ablate.model.layer.attention.self_attention import Attention
from ablate.model.layer.norm import RmsNorm


class TransformerBlock(nn.Module):
    """One block over `b g s d`: attention within each of the g groups."""

    def __init__(
        self,
        width: int,
        *,
        heads: int,
        head_dim: int,
        ff_dim: int,
        causal: bool,
        qk_norm: bool,
        dropout: float,
        drop_path: float,
    ):
        super().__init__()
        self.attention_norm = RmsNorm(width)
        self.attention = Attention(width, heads=heads, head_dim=head_dim, causal=causal, qk_norm=qk_norm)
        self.dropout = nn.Dropout(dropout)
        self.ff_norm = RmsNorm(width)
        self.feed_forward = SwiGlu(width, ff_dim, dropout)
        self.drop_path = DropPath(drop_path)

    def forward(
        self, x: Float[Tensor, "b g s d"], angles: Float[Tensor, "... s pairs"] | None
    ) -> Float[Tensor, "b g s d"]:
        x = x + self.drop_path(self.dropout(self.attention(self.attention_norm(x), angles)))
        return x + self.drop_path(self.feed_forward(self.ff_norm(x)))
