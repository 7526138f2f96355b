"""Tubelet tokens of a clip, none of which straddles two intervals, and which of them hold any valid frame.

    (b i f 3 h w) -> (b i f/k (h/p w/p) w),  one linear map of k frames x p x p pixels

Pads inside a tubelet are zeroed after normalisation: a grey image, so the share of valid frames is given to the token
as one more input, and tubelets without any valid frame are masked.
"""

import torch
from einops import rearrange, repeat
from jaxtyping import Bool, Float, Shaped
from pydantic import Field
from torch import Tensor, nn

from ablate.config import Config
from ablate.errors import AblateError
from ablate.model.layer.linear import linear
from ablate.model.layer.position import positions
from ablate.model.video.pixels import Pixels, require_pixels


class TubeletOptions(Config):
    """What both ViViT encoders know of their tokens and heads."""

    tubelet_frames: int = Field(default=2, ge=1, le=16_384)
    """Frames in a tubelet; must divide the frames of an interval."""
    patch_size: int = Field(default=4, ge=1, le=16_384)
    """Pixels along a tubelet; must divide the frame."""
    width: int = Field(default=32, ge=4)
    """Token width."""
    heads: int = Field(default=4, ge=1, le=16_384)
    """Attention heads; must divide the width."""


class TubeletTokens(nn.Module):
    """Tubelets of `tubelet_frames` frames and `patch_size` pixels, with learned positions in space."""

    def __init__(self, frame_shape: tuple[int, ...], frames: int, tubelet_frames: int, patch_size: int, width: int):
        super().__init__()
        height, columns = require_pixels(frame_shape)
        if height % patch_size or columns % patch_size or frames % tubelet_frames:
            raise AblateError(
                f"tubelets of {tubelet_frames} frames x {patch_size} pixels do not tile "
                f"{frames} frames of {height} x {columns}",
                where="baseline.video",
                hint="`tubelet_frames` must divide the frames of an interval, and `patch_size` the frame",
            )
        self.pixels = Pixels((height, columns), (0.5, 0.5, 0.5), (0.25, 0.25, 0.25))
        self.tubelet_frames, self.patch_size = tubelet_frames, patch_size
        self.frames = frames // tubelet_frames
        self.places = (height // patch_size) * (columns // patch_size)
        self.embed = linear(3 * tubelet_frames * patch_size**2 + tubelet_frames, width)
        self.position = positions(self.places, width)

    def token_mask(self, mask: Bool[Tensor, "b i f"]) -> Bool[Tensor, "b i f2"]:
        """Tubelets that hold a valid frame."""
        return rearrange(mask, "b i (f k) -> b i f k", k=self.tubelet_frames).any(dim=-1)

    def forward(
        self, frames: Shaped[Tensor, "b i f 3 h w"], mask: Bool[Tensor, "b i f"]
    ) -> Float[Tensor, "b i f2 s d"]:
        flat = self.pixels.prepare(rearrange(frames, "b i f c h w -> (b i f) c h w"))
        flat = flat.masked_fill(~rearrange(mask, "b i f -> (b i f) 1 1 1"), 0.0)
        sizes = {"b": mask.shape[0], "i": mask.shape[1], "k": self.tubelet_frames}
        cubes = rearrange(
            flat,
            "(b i f k) c (h p) (w q) -> b i f (h w) (k c p q)",
            p=self.patch_size,
            q=self.patch_size,
            **sizes,
        )
        valid = repeat(mask, "b i (f k) -> b i f s k", s=self.places, k=self.tubelet_frames)
        return self.embed(torch.cat([cubes, valid.to(cubes.dtype)], dim=-1)) + self.position
