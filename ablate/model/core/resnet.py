"""ResNet."""

from typing import Literal

from torch import nn

from ablate.config import Config
from ablate.contract import FeatureMap

Size3 = tuple[int, int, int]


class ResNetConfig(Config):
    """Three residual stages of 3-D convolutions; the defaults are the notes' reference."""

    type: Literal["resnet"] = "resnet"
    channels: Size3 = (128, 128, 256)
    """Channels after each stage."""
    kernel_sizes: tuple[Size3, Size3, Size3] = ((3, 5, 5), (3, 5, 5), (3, 3, 3))
    """(frames, rows, columns) of each stage's convolution."""
    stem_stride: Size3 = (2, 2, 2)
    """Stride of the first stage; `stem_stride[0]` is the core's time step."""
    dilation: Size3 = (2, 2, 2)
    """Dilation of the last stage, (frames, rows, columns)."""
    dropout: tuple[float, float, float] = (0.0, 0.1, 0.2)
    """Dropout of each stage."""
    pool: Literal["aablur", "blur", "softpool", "avg", "max", "stride"] = "aablur"
    """Pool of the second and third stage. `aablur`: fixed blur, soft-pool, squeeze-and-excite gate."""
    pool_strides: tuple[int, int] = (2, 1)
    """Stride in space of the pools of the second and third stage."""
    squeeze_excite: tuple[int, int] = (8, 16)
    """Reduction ratio of the gates of the second and third stage; 0 leaves the gate out."""
    shortcut_alignment: Literal["newest", "visioncore"] = "newest"
    """`visioncore` adds the newest frames of the shortcut to the strided frames of the main path, as that code does."""

    def build(self, input: FeatureMap) -> nn.Module:
        raise NotImplementedError
