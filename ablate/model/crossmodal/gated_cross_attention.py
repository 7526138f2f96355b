"""Gated cross-attention (Alayrac et al. 2022, "Flamingo", arXiv 2204.14198): fusion that can start as the identity.

    y <- y + tanh(a) attn(LN y, media);  y <- y + tanh(g) FF(LN y)

With `gate_init: 0` the EEG passes unchanged at the start, and only a and g get gradient in the first step.
Differs in: the mask comes from an explicit interval index, and a token that sees no latent passes
exactly unchanged (the widely copied form lets it attend uniformly to everything).
"""

from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from ablate.contract import no_decay
from ablate.model.crossmodal.cross_attention import CrossAttentionConfig, CrossAttentionFusion
from ablate.model.layer.attention.masked_attention import CrossAttention, check_heads, feed_forward


class GatedCrossAttentionConfig(CrossAttentionConfig):
    """EEG tokens attend to video latents through gates."""

    type: Literal["gated_cross_attention"] = "gated_cross_attention"  # type: ignore[assignment]
    gate_init: float = 0.5
    """Both gates a and g at the start; tanh of them scales what the media add. 0 starts from the EEG alone."""

    def build(self, width: int, of_token: Tensor, intervals: int, latents: int) -> "GatedCrossAttentionFusion":
        """width: token width d. of_token: interval of each EEG token. intervals, latents: i and n."""
        check_heads(width, self.heads, "baseline.fusion.heads")
        layers = [GatedLayer(width, self.heads, self.gate_init) for _ in range(self.depth)]
        return GatedCrossAttentionFusion(layers, self.mask, of_token, intervals, width, self.interval_embedding)


class GatedCrossAttentionFusion(CrossAttentionFusion):
    """A stack of gated layers that tells how far its gates have opened."""

    def gates(self) -> dict[str, float]:
        """tanh(a) and tanh(g) of each layer, for the log."""
        opened = {}
        for depth, layer in enumerate(self.layers):
            assert isinstance(layer, GatedLayer)
            opened[f"tanh_a_{depth}"] = float(torch.tanh(layer.a.detach()))
            opened[f"tanh_g_{depth}"] = float(torch.tanh(layer.g.detach()))
        return opened


class GatedLayer(nn.Module):
    """Attention and feed-forward, pre-norm, each behind its gate."""

    def __init__(self, width: int, heads: int, gate_init: float):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.attention = CrossAttention(width, heads)
        self.feed_forward = feed_forward(width)
        self.a = no_decay(nn.Parameter(torch.tensor(float(gate_init))))
        self.g = no_decay(nn.Parameter(torch.tensor(float(gate_init))))

    def forward(
        self,
        tokens: Float[Tensor, "b e d"],
        query_place: Tensor | float,
        media: Float[Tensor, "b k d"],
        visible: Bool[Tensor, "b e k"],
    ) -> Float[Tensor, "b e d"]:
        attended = self.attention(self.norm(tokens) + query_place, media, visible)
        fused = tokens + torch.tanh(self.a) * attended
        fused = fused + torch.tanh(self.g) * self.feed_forward(fused)
        return torch.where(visible.any(dim=2)[..., None], fused, tokens)
