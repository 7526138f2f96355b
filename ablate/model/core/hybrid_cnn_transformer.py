"""A ResNet in space and a transformer in time: the notes' idea for when a pure ViViT does not catch up.

    stem -> two residual stages, each frame on its own -> one token a place and step -> causal blocks over time

Reference: the stages of core `resnet` with kernels of one frame behind the stem; the temporal blocks of core `vivit`.
"""

from typing import Literal

import torch
from einops import rearrange
from jaxtyping import Float
from pydantic import field_validator
from torch import Tensor, nn

from ablate.contract import Core, FeatureMap, Recomputing
from ablate.model.core.resnet import ResidualStage, receptive_field
from ablate.model.core.vivit import TemporalBlocks
from ablate.model.layer.attention.transformer_options import TransformerOptions
from ablate.model.layer.convolution.anti_aliased_pool import PoolKind, SpatialPool
from ablate.model.layer.convolution.causal_conv import CausalConv3d
from ablate.model.layer.norm import RmsNorm
from ablate.model.layer.place import coarser

Size3 = tuple[int, int, int]


class HybridCnnTransformerConfig(TransformerOptions):
    """A ResNet in space and a transformer in time."""

    type: Literal["hybrid_cnn_transformer"] = "hybrid_cnn_transformer"
    spatial_backbone: Literal["resnet"] = "resnet"
    """What looks at space: the stages of core `resnet`, one frame at a time behind the stem."""
    temporal_transformer: Literal["vivit"] = "vivit"
    """What looks at time: the temporal blocks of core `vivit`."""
    channels: Size3 = (128, 128, 256)
    """Channels after each stage of the backbone."""
    stem_kernel: Size3 = (3, 5, 5)
    """(frames, rows, columns) of the first stage: the only one that mixes frames."""
    stem_stride: Size3 = (2, 2, 2)
    """Stride of the first stage; `stem_stride[0]` is the core's time step."""
    backbone_dropout: tuple[float, float, float] = (0.0, 0.1, 0.2)
    """Dropout of each stage."""
    pool: PoolKind = "aablur"
    """Pool of the second and third stage."""
    squeeze_excite: tuple[int, int] = (8, 16)
    """Reduction ratio of the gates behind the two pools; 0 leaves a gate out."""
    rope: Literal["raster", "none"] = "raster"
    """Rotary positions in time."""

    @field_validator("channels", "stem_kernel", "stem_stride")
    @classmethod
    def _positive(cls, sizes: Size3) -> Size3:
        if min(sizes) < 1:
            raise ValueError("every number must be at least 1")
        return sizes

    @field_validator("backbone_dropout")
    @classmethod
    def _shares(cls, dropout: tuple[float, float, float]) -> tuple[float, float, float]:
        if not all(0 <= share < 1 for share in dropout):
            raise ValueError("every dropout must be at least 0 and below 1")
        return dropout

    def build(self, input: FeatureMap) -> "HybridCnnTransformer":
        return HybridCnnTransformer(self, input)


class HybridCnnTransformer(Core, Recomputing):
    """Video `b c t h w` to features `b d t2 h2 w2`."""

    def __init__(self, config: HybridCnnTransformerConfig, input: FeatureMap):
        super().__init__()
        first, second, third = config.channels
        dropout = config.backbone_dropout
        pools = (
            SpatialPool(config.pool, second, 2, config.squeeze_excite[0]),
            SpatialPool(config.pool, third, 1, config.squeeze_excite[1]),
        )
        self.stage_1 = ResidualStage(
            input, CausalConv3d(input.channels, first, config.stem_kernel, config.stem_stride), dropout=dropout[0]
        )
        self.stage_2 = ResidualStage(
            self.stage_1.out, CausalConv3d(first, second, (1, 5, 5)), pool=pools[0], dropout=dropout[1]
        )
        self.stage_3 = ResidualStage(
            self.stage_2.out,
            CausalConv3d(second, third, (1, 3, 3), dilation=(1, 2, 2)),
            pool=pools[1],
            dropout=dropout[2],
        )
        self.tokens = nn.Sequential(nn.Linear(third, config.embedding_dim), RmsNorm(config.embedding_dim))
        self.temporal_blocks = TemporalBlocks(
            [config.block(causal=True) for _ in range(config.num_temporal_blocks)],
            width=config.embedding_dim,
            head_dim=config.head_dim,
            rotary=config.rope != "none",
            norm=config.final_norm,
            activation=config.final_activation,
        )
        cells = self.stage_3.out
        self.out = coarser(
            cells,
            channels=config.embedding_dim,
            time_stride=1,
            rows=range(cells.height),
            cols=range(cells.width),
        )
        self.receptive_field = receptive_field((self.stage_1, self.stage_2, self.stage_3))

    def forward(self, video: Float[Tensor, "b c t h w"]) -> Float[Tensor, "b d t2 h2 w2"]:
        video = video.contiguous(memory_format=torch.channels_last_3d)
        cells = video
        for stage in (self.stage_1, self.stage_2, self.stage_3):
            cells = self.through(stage, cells)
        tokens = self.tokens(rearrange(cells, "b c t h w -> b t (h w) c"))
        tokens = self.temporal_blocks(tokens, None, cells.shape[-2] * cells.shape[-1])
        return rearrange(tokens, "b (h w) t d -> b d t h w", h=cells.shape[-2])

    def parts(self) -> dict[str, nn.Module]:
        """What the tables list, in the order of the flow."""
        return {
            "stage_1": self.stage_1,
            "stage_2": self.stage_2,
            "stage_3": self.stage_3,
            "tokens": self.tokens,
            "temporal_blocks": self.temporal_blocks,
        }
