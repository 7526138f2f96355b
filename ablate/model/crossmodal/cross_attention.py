"""Cross-attention: EEG tokens query the video latents that their mask lets them see.

    y <- y + attn(LN y, media);  y <- y + FF(LN y)                 each `depth` times

A token that sees no latent passes unchanged. Learned interval embeddings on both sides (`interval_embedding`)
let a wider mask than `own` find the matching interval by itself.
"""

from collections.abc import Sequence
from typing import ClassVar, Literal

import torch
from einops import rearrange, repeat
from jaxtyping import Bool, Float
from pydantic import Field
from torch import Tensor, nn

from ablate.config import Config
from ablate.contract import Fusion
from ablate.model.crossmodal.mask import MaskName, interval_mask
from ablate.model.layer.attention.masked_attention import CrossAttention, check_heads, feed_forward
from ablate.model.layer.position import positions


class CrossAttentionConfig(Config):
    """EEG tokens attend to video latents."""

    type: Literal["cross_attention"] = "cross_attention"
    mask: MaskName = "own"
    """Which latents a token sees: its own interval's, own and past ones, all, or (a control) the previous
    interval's."""
    depth: int = Field(default=1, ge=1, le=24)
    """Layers."""
    heads: int = Field(default=4, ge=1, le=64)
    """Attention heads; must divide the token width."""
    interval_embedding: bool = True
    """Learned embeddings of the interval on tokens (as queries) and latents (as keys and values)."""
    needs_media: ClassVar[bool] = True

    def build(self, width: int, of_token: Tensor, intervals: int, latents: int) -> "CrossAttentionFusion":
        """width: token width d. of_token: interval of each EEG token. intervals, latents: i and n."""
        check_heads(width, self.heads, "baseline.fusion.heads")
        layers = [CrossAttentionLayer(width, self.heads) for _ in range(self.depth)]
        return CrossAttentionFusion(layers, self.mask, of_token, intervals, width, self.interval_embedding)


class CrossAttentionFusion(Fusion):
    """The mask and the interval embeddings around a stack of layers."""

    of_token: Tensor

    def __init__(
        self,
        layers: Sequence[nn.Module],
        mask: MaskName,
        of_token: Tensor,
        intervals: int,
        width: int,
        interval_embedding: bool,
    ):
        super().__init__()
        self.layers = nn.ModuleList(layers)
        self.mask = mask
        self.register_buffer("of_token", of_token, persistent=False)
        places = positions(2, intervals, width)
        self.embedding = places if interval_embedding else None

    def visible(self, present: Bool[Tensor, "b i"], latents: int) -> Bool[Tensor, "b e k"]:
        """Which of the i * n latents each token may see: by the mask, and only of intervals that have a frame."""
        of_latent = torch.arange(present.shape[1], device=present.device).repeat_interleave(latents)
        return interval_mask(self.mask, self.of_token, of_latent) & present[:, None, of_latent]

    def forward(
        self, tokens: Float[Tensor, "b e d"], media: Float[Tensor, "b i n d"], present: Bool[Tensor, "b i"]
    ) -> Float[Tensor, "b e d"]:
        visible = self.visible(present, media.shape[2])
        query_place: Tensor | float = 0.0
        if self.embedding is not None:
            query_place = self.embedding[0, self.of_token]
            media = media + repeat(self.embedding[1], "i d -> i n d", n=media.shape[2])
        media = rearrange(media, "b i n d -> b (i n) d")
        for layer in self.layers:
            tokens = layer(tokens, query_place, media, visible)
        return tokens


class CrossAttentionLayer(nn.Module):
    """Attention and feed-forward, pre-norm and residual."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.attention = CrossAttention(width, heads)
        self.feed_forward = feed_forward(width)

    def forward(
        self,
        tokens: Float[Tensor, "b e d"],
        query_place: Tensor | float,
        media: Float[Tensor, "b k d"],
        visible: Bool[Tensor, "b e k"],
    ) -> Float[Tensor, "b e d"]:
        fused = tokens + self.attention(self.norm(tokens) + query_place, media, visible)
        fused = fused + self.feed_forward(fused)
        return torch.where(visible.any(dim=2)[..., None], fused, tokens)
