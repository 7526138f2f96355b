"""ViViT, joint space-time attention (Arnab et al. 2021, arXiv 2103.15691, model 1): every tubelet of the clip sees
every other.

    tubelets (b i f2 s d) -> attention over all i * f2 * s valid tubelets -> mean over places -> (b i f2 d)

The expensive extreme: its cost grows with the square of i * f2 * s.
"""

from typing import Literal

from einops import rearrange, reduce, repeat
from jaxtyping import Bool, Float, Shaped
from pydantic import Field
from torch import Tensor, nn

from ablate.contract import Recomputing, VideoEncoder
from ablate.model.layer.attention.masked_attention import SelfAttentionBlock, check_heads
from ablate.model.layer.position import positions
from ablate.model.video.vivit.tubelet import TubeletOptions, TubeletTokens


class VivitJointConfig(TubeletOptions):
    """Space and time at once, over the whole clip."""

    type: Literal["vivit_joint"] = "vivit_joint"
    depth: int = Field(default=4, ge=1, le=24)
    """Transformer blocks."""

    def build(self, frame_shape: tuple[int, ...], intervals: int, frames: int) -> "VivitJoint":
        """frame_shape: (3, h, w). intervals, frames: i and f."""
        check_heads(self.width, self.heads, "baseline.video.heads")
        return VivitJoint(self, frame_shape, intervals, frames)


class VivitJoint(VideoEncoder, Recomputing):
    """(b, i, f, 3, h, w) to one token a time step, (b, i, f / tubelet_frames, width)."""

    def __init__(self, config: VivitJointConfig, frame_shape: tuple[int, ...], intervals: int, frames: int):
        super().__init__()
        self.tokens = TubeletTokens(frame_shape, frames, config.tubelet_frames, config.patch_size, config.width)
        self.width, self.frames = config.width, self.tokens.frames
        self.blocks = nn.ModuleList(SelfAttentionBlock(self.width, config.heads) for _ in range(config.depth))
        self.position = positions(intervals, self.frames, 1, self.width)

    def token_mask(self, mask: Bool[Tensor, "b i f"]) -> Bool[Tensor, "b i f2"]:
        return self.tokens.token_mask(mask)

    def forward(
        self, frames: Shaped[Tensor, "b i f 3 h w"], mask: Bool[Tensor, "b i f"], keys: Tensor | None
    ) -> Float[Tensor, "b i f2 d"]:
        tokens, valid = self.tokens(frames, mask) + self.position, self.token_mask(mask)
        places = tokens.shape[3]
        x = rearrange(tokens, "b i f s d -> b (i f s) d")
        visible = repeat(valid, "b i f -> b q (i f s)", q=x.shape[1], s=places)
        for block in self.blocks:
            x = self.through(block, x, visible)
        x = reduce(x, "b (i f s) d -> b i f d", "mean", i=mask.shape[1], s=places)
        return x.masked_fill(~valid[..., None], 0.0)
