"""Attention with boolean masks in which a row that may see nothing gives exactly zero.

    out_q = sum_k softmax_k(q k / sqrt(d) over visible k) v_k,   0 where no k is visible

Filling masked scores with the lowest float, the widely copied form, lets an empty row attend uniformly to everything;
minus infinity gives NaN. Here an empty row is computed over all keys, so that it stays finite, and then zeroed.
"""

from einops import rearrange
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional

from ablate.errors import AblateError
from ablate.model.layer.linear import linear


def attend(
    q: Float[Tensor, "s h q d"],
    k: Float[Tensor, "s h k d"],
    v: Float[Tensor, "s h k d"],
    visible: Bool[Tensor, "s #h q k"],
) -> Float[Tensor, "s h q d"]:
    """Scaled dot-product attention over the visible keys; keys and values must be finite even where invisible."""
    empty = ~visible.any(dim=-1, keepdim=True)
    out = functional.scaled_dot_product_attention(q, k, v, attn_mask=visible | empty)
    return out.masked_fill(empty, 0.0)


class CrossAttention(nn.Module):
    """Multi-head attention from queries of one width to keys and values, with a mask of what each query may see.

    The output map has no bias, so that a query with nothing to see gives exactly zero.
    """

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.q = linear(width, width)
        self.kv = linear(width, 2 * width)
        self.out = linear(width, width, bias=False)

    def forward(
        self, queries: Float[Tensor, "s q d"], media: Float[Tensor, "s k d"], visible: Bool[Tensor, "s q k"]
    ) -> Float[Tensor, "s q d"]:
        q = rearrange(self.q(queries), "s q (h d) -> s h q d", h=self.heads)
        k, v = rearrange(self.kv(media), "s k (two h d) -> two s h k d", two=2, h=self.heads)
        return self.out(rearrange(attend(q, k, v, visible[:, None]), "s h q d -> s q (h d)"))


class SelfAttentionBlock(nn.Module):
    """Pre-norm self-attention over the visible tokens, then a feed-forward network."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.attention = CrossAttention(width, heads)
        self.feed_forward = feed_forward(width)

    def forward(self, x: Float[Tensor, "s k d"], visible: Bool[Tensor, "s k k2"]) -> Float[Tensor, "s k d"]:
        normed = self.norm(x)
        x = x + self.attention(normed, normed, visible)
        return x + self.feed_forward(x)


def feed_forward(width: int, ratio: int = 4) -> nn.Module:
    """Pre-norm feed-forward network, `ratio` times as wide inside."""
    return nn.Sequential(nn.LayerNorm(width), linear(width, ratio * width), nn.GELU(), linear(ratio * width, width))


def check_heads(width: int, heads: int, where: str) -> None:
    """Raises AblateError unless the heads divide the token width."""
    if width % heads:
        raise AblateError(
            f"{heads} heads do not divide the token width {width}",
            where=where,
            hint="choose a number of heads that divides `embedding_dim`",
        )
