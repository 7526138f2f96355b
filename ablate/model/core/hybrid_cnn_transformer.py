"""Hybrid."""

from typing import Literal

from pydantic import Field
from torch import nn

from ablate.config import Config
from ablate.contract import FeatureMap

Size3 = tuple[int, int, int]


class HybridCnnTransformerConfig(Config):
    """A ResNet in space and a transformer in time."""

    type: Literal["hybrid_cnn_transformer"] = "hybrid_cnn_transformer"
    spatial_backbone: Literal["resnet"] = "resnet"
    """What looks at space: the stages of core `resnet`, one frame at a time after the stem."""
    temporal_transformer: Literal["vivit"] = "vivit"
    """What looks at time: the temporal blocks of core `vivit`."""
    channels: Size3 = (128, 128, 256)
    """Channels after each stage of the backbone."""
    stem_kernel: Size3 = (3, 5, 5)
    stem_stride: Size3 = (2, 2, 2)
    """`stem_stride[0]` is the core's time step."""
    backbone_dropout: tuple[float, float, float] = (0.0, 0.1, 0.2)
    """Dropout of each stage."""
    pool: Literal["aablur", "blur", "softpool", "avg", "max", "stride"] = "aablur"
    squeeze_excite: tuple[int, int] = (8, 16)
    embedding_dim: int = Field(192, ge=1)
    """Width of a token of the transformer."""
    num_temporal_blocks: int = Field(4, ge=0)
    num_heads: int = Field(4, ge=1)
    head_dim: int = Field(48, ge=2)
    ff_dim: int = Field(768, ge=1)
    dropout: float = Field(0.1, ge=0, lt=1)
    """Dropout of the transformer."""
    drop_path: float = Field(0.05, ge=0, lt=1)
    rope: Literal["raster", "none"] = "raster"
    """Rotary positions in time."""
    qk_norm: bool = False
    final_norm: bool = False
    final_activation: Literal["softplus", "relu", "gelu", "none"] = "softplus"

    def build(self, input: FeatureMap) -> nn.Module:
        raise NotImplementedError
