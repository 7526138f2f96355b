"""Whole tokens left out in training: a random share of each sample's, the rest in their order.

Reference: Liu et al. 2022, "PatchDropout". The same draws as timm's `PatchDropoutWithIndices` (a test compares them),
without the seconds that importing timm takes.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn


class PlaceDropout(nn.Module):
    """Tokens (b s d) and None, or in training the kept ones and which they are."""

    def __init__(self, share: float) -> None:
        super().__init__()
        self.share = share

    def forward(self, tokens: Float[Tensor, "b s d"]) -> tuple[Float[Tensor, "b keep d"], Int[Tensor, "b keep"] | None]:
        if not self.share or not self.training:
            return tokens, None
        batch, places, width = tokens.shape
        keep = max(1, int(places * (1.0 - self.share)))
        order = torch.argsort(torch.randn(batch, places, device=tokens.device), dim=-1)
        kept = order[:, :keep].sort(dim=-1)[0]
        return tokens.gather(1, kept.unsqueeze(-1).expand(-1, -1, width)), kept
