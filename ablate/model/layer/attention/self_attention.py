"""Multi-head self-attention within groups of tokens, softmax(q k^T / sqrt(e)) v, optionally causal.

Reference: Vaswani et al. 2017; rotary positions: Su et al. 2021; QK-norm: Henry et al. 2020, Dehghani et al. 2023.
Differs in: queries, keys and values come from one linear map without bias; the output map has a bias. The axis `g`
counts groups that do not see each other (time steps in spatial attention, places in temporal attention).
"""

import torch
import torch.nn.functional as F
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn

from ablate.model.layer.attention.rotary import rotate
from ablate.model.layer.norm import RmsNorm


class Attention(nn.Module):
    """`heads * head_dim` need not equal `width`."""

    def __init__(self, width: int, *, heads: int, head_dim: int, causal: bool, qk_norm: bool):
        super().__init__()
        self.heads = heads
        self.causal = causal
        self.qkv = nn.Linear(width, 3 * heads * head_dim, bias=False)
        self.q_norm: nn.Module = RmsNorm(head_dim) if qk_norm else nn.Identity()
        self.k_norm: nn.Module = RmsNorm(head_dim) if qk_norm else nn.Identity()
        self.out = nn.Linear(heads * head_dim, width)

    def forward(
        self, x: Float[Tensor, "b g s d"], angles: Float[Tensor, "... s pairs"] | None
    ) -> Float[Tensor, "b g s d"]:
        groups, size = x.shape[1:3]
        if size == 1 and not x.is_meta:  # FLOPs, counted on the meta device, are those of the formula
            # A token that sees itself alone: the softmax is 1, whatever query and key.
            return self.out(F.linear(x, self.qkv.weight.chunk(3)[2]))
        q, k, v = rearrange(self.qkv(x), "b g s (three head e) -> three b g head s e", three=3, head=self.heads)
        q, k = self.q_norm(q), self.k_norm(k)
        if angles is not None:
            q, k = rotate(torch.stack([q, k]), angles)
        q, k, v = (part.flatten(0, 1) for part in (q, k, v))  # the fast kernels want four axes
        y = F.scaled_dot_product_attention(q, k, v, is_causal=self.causal)
        return self.out(rearrange(y, "(b g) head s e -> b g s (head e)", g=groups))
