"""ViViT, factorised encoder (Arnab et al. 2021, arXiv 2103.15691, model 2) over the whole clip.

    tubelets (b i f2 s d) -> attention over the places of each time step -> mean over places -> attention over all valid
    time steps of the clip -> (b i f2 d)

The rival of a per-frame ViT with a mixer: the tokens stay grouped by interval, so that the same compressor and
fusion follow. Differs in: tubelets do not straddle intervals; invalid time steps are masked and given as zero.
"""

from typing import Literal

import torch
from einops import rearrange, reduce, repeat
from jaxtyping import Bool, Float, Shaped
from pydantic import Field
from torch import Tensor, nn

from ablate.contract import Recomputing, VideoEncoder
from ablate.model.layer.attention.masked_attention import SelfAttentionBlock, check_heads
from ablate.model.layer.position import positions
from ablate.model.video.vivit.tubelet import TubeletOptions, TubeletTokens


class VivitFactorisedConfig(TubeletOptions):
    """Space first, then time over the clip."""

    type: Literal["vivit_factorised"] = "vivit_factorised"
    spatial_depth: int = Field(default=2, ge=0, le=24)
    """Blocks over the places of one time step."""
    temporal_depth: int = Field(default=2, ge=0, le=24)
    """Blocks over the time steps of the clip."""

    def build(self, frame_shape: tuple[int, ...], intervals: int, frames: int) -> "VivitFactorised":
        """frame_shape: (3, h, w). intervals, frames: i and f."""
        check_heads(self.width, self.heads, "baseline.video.heads")
        return VivitFactorised(self, frame_shape, intervals, frames)


class VivitFactorised(VideoEncoder, Recomputing):
    """(b, i, f, 3, h, w) to one token a time step, (b, i, f / tubelet_frames, width)."""

    def __init__(self, config: VivitFactorisedConfig, frame_shape: tuple[int, ...], intervals: int, frames: int):
        super().__init__()
        self.tokens = TubeletTokens(frame_shape, frames, config.tubelet_frames, config.patch_size, config.width)
        self.width, self.frames = config.width, self.tokens.frames
        self.spatial = nn.ModuleList(SelfAttentionBlock(self.width, config.heads) for _ in range(config.spatial_depth))
        self.temporal = nn.ModuleList(
            SelfAttentionBlock(self.width, config.heads) for _ in range(config.temporal_depth)
        )
        self.position = positions(intervals * self.frames, self.width)

    def token_mask(self, mask: Bool[Tensor, "b i f"]) -> Bool[Tensor, "b i f2"]:
        return self.tokens.token_mask(mask)

    def forward(
        self, frames: Shaped[Tensor, "b i f 3 h w"], mask: Bool[Tensor, "b i f"], keys: Tensor | None
    ) -> Float[Tensor, "b i f2 d"]:
        tokens, valid = self.tokens(frames, mask), self.token_mask(mask)
        x = rearrange(tokens, "b i f s d -> (b i f) s d")
        everything = torch.ones(1, 1, x.shape[1], dtype=torch.bool, device=x.device)
        for block in self.spatial:
            x = self.through(block, x, everything.expand(len(x), x.shape[1], -1))
        x = reduce(x, "(b i f) s d -> b (i f) d", "mean", b=mask.shape[0], i=mask.shape[1]) + self.position
        visible = repeat(valid, "b i f -> b q (i f)", q=x.shape[1])
        for block in self.temporal:
            x = self.through(block, x, visible)
        x = rearrange(x, "b (i f) d -> b i f d", i=mask.shape[1])
        return x.masked_fill(~valid[..., None], 0.0)
