"""Late fusion: the video pooled over the whole clip, joined to every EEG token just before the head.

    y + MLP([LN y; mean of all present latents])

Time alignment is lost: on `coincidence` with i = 5 this cannot exceed .685.
"""

from typing import ClassVar, Literal

import torch
from einops import repeat
from jaxtyping import Bool, Float
from torch import Tensor, nn

from ablate.config import Config
from ablate.contract import Fusion
from ablate.model.crossmodal.concat import join


class LateConfig(Config):
    """Pooled video joined to the EEG at the end."""

    type: Literal["late"] = "late"
    needs_media: ClassVar[bool] = True

    def build(self, width: int, of_token: Tensor, intervals: int, latents: int) -> "LateFusion":
        """width: token width d. of_token: interval of each EEG token."""
        return LateFusion(width)


class LateFusion(Fusion):
    """Every token gets the same clip vector; a clip without any frame gives zero."""

    def __init__(self, width: int):
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.join = join(2 * width, width)

    def forward(
        self, tokens: Float[Tensor, "b e d"], media: Float[Tensor, "b i n d"], present: Bool[Tensor, "b i"]
    ) -> Float[Tensor, "b e d"]:
        total = media.masked_fill(~present[..., None, None], 0.0).mean(dim=2).sum(dim=1)  # (b, d)
        clip = total / present.sum(dim=1, keepdim=True).clamp(min=1)
        joined = self.join(torch.cat([self.norm(tokens), repeat(clip, "b d -> b e d", e=tokens.shape[1])], dim=-1))
        return tokens + joined.masked_fill(~present.any(dim=1)[:, None, None], 0.0)
