"""A small vision transformer for single frames (Dosovitskiy et al. 2021, arXiv 2010.11929).

timm's own implementation at a small size. `weights_seed` draws the same weights in every variant, so that a frozen
one is the same random projection for all of them.
"""

from typing import Literal

import torch
from pydantic import Field

from ablate.config import Config
from ablate.errors import AblateError
from ablate.model.video.frame_encoder import FrameEncoder
from ablate.model.video.pixels import Pixels, require_pixels


class SmallVitConfig(Config):
    """A small ViT trained with the rest, or frozen at its seed."""

    type: Literal["small_vit"] = "small_vit"
    patch_size: int = Field(default=4, ge=1, le=16_384)
    """Pixels along a patch; must divide the frame."""
    width: int = Field(default=32, ge=4)
    """Width of a patch token."""
    depth: int = Field(default=2, ge=1, le=24)
    """Transformer blocks."""
    heads: int = Field(default=4, ge=1, le=16_384)
    """Attention heads; must divide the width."""
    pool: Literal["token", "avg"] = "avg"
    """What stands for a frame: the class token, or the mean of the patch tokens."""
    frozen: bool = False
    """Keep the seeded weights as they are."""
    cache: bool = True
    """Keep the features of a frozen model on disk, by content, for all variants and seeds."""
    weights_seed: int | None = None
    """Draws the weights; null leaves it to the run's own seed."""

    def build(self, frame_shape: tuple[int, ...], intervals: int, frames: int) -> FrameEncoder:
        """frame_shape: (3, h, w) of the data. frames: f."""
        from timm.models.vision_transformer import VisionTransformer

        height, width = require_pixels(frame_shape)
        if height % self.patch_size or width % self.patch_size or self.width % self.heads:
            raise AblateError(
                f"patches of {self.patch_size} pixels do not tile {height} x {width}, "
                f"or {self.heads} heads do not divide width {self.width}",
                where="baseline.video",
                hint="choose `patch_size` that divides the frame and `heads` that divides `width`",
            )
        with torch.random.fork_rng(devices=[], enabled=self.weights_seed is not None):
            if self.weights_seed is not None:
                torch.manual_seed(self.weights_seed)
            backbone = VisionTransformer(
                img_size=(height, width),
                patch_size=self.patch_size,
                embed_dim=self.width,
                depth=self.depth,
                num_heads=self.heads,
                num_classes=0,
                global_pool=self.pool,
                class_token=self.pool == "token",
            )
        pixels = Pixels((height, width), (0.5, 0.5, 0.5), (0.25, 0.25, 0.25))
        return FrameEncoder(
            backbone,
            pixels,
            width=self.width,
            frames=frames,
            frozen=self.frozen,
            cache=self.cache,
            at_once=4096,
            identity=f"small_vit {self.pool}",
        )
