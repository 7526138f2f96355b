"""ResNet of three 3-D residual stages, the notes' reference.

    stage: pool(dropout(silu(norm(conv(x))))) + shortcut(x),   shortcut a 1x1x1 convolution of the same total stride

A pool's 2x2 windows lie half a cell beside the cells of a plain stride, so the shortcut takes the mean of the same
windows: both paths of a cell look at the same place.

Causal in time, replicate padding in space. Stage 1 strides by 2 in time and space, stage 2 pools by 2 in space, stage 3
dilates instead: 51 x 51 pixels become maps of 26, 13 and 13.

Reference: He et al. 2016; the stages are those of VisionCore's `learned_res_small_gru_optimized_aa`.
Differs in: paddings keep the maps aligned (that code's were 12 x 12), and the shortcut keeps time aligned with the main
path: that code strides only the main path in time and then adds the newest frames of the shortcut to it
(`shortcut_alignment: visioncore`), so that all steps but the newest see frames later than their own. Its shortcut takes
the first cell of each window (`shortcut_place: corner`): the paths' centroids are up to 1.5 of 51 pixels apart.
"""

from typing import Literal

import torch
from einops import rearrange
from jaxtyping import Float
from pydantic import field_validator
from torch import Tensor, nn

from ablate.config import Config
from ablate.contract import Core, FeatureMap, Recomputing
from ablate.model.layer.convolution.anti_aliased_pool import PoolKind, SpatialPool
from ablate.model.layer.convolution.causal_conv import CausalConv3d, newest_phase
from ablate.model.layer.convolution.channel_norm import ChannelRmsNorm
from ablate.model.layer.place import coarser

Size3 = tuple[int, int, int]
Alignment = Literal["newest", "visioncore"]
Place = Literal["middle", "corner"]


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
    pool: PoolKind = "aablur"
    """Pool of the second and third stage. `aablur`: fixed blur, then soft-pool."""
    pool_strides: tuple[int, int] = (2, 1)
    """Stride in space of the pools of the second and third stage."""
    squeeze_excite: tuple[int, int] = (8, 16)
    """Reduction ratio of the gates behind the two pools; 0 leaves a gate out."""
    shortcut_alignment: Alignment = "newest"
    """`visioncore` adds the newest frames of the shortcut to the strided frames of the main path, as that code does."""
    shortcut_place: Place = "middle"
    """middle: the shortcut takes the mean of the window that the pool covers. corner: its first cell, as that code."""

    @field_validator("channels", "kernel_sizes", "stem_stride", "dilation", "pool_strides")
    @classmethod
    def _positive(cls, sizes: tuple) -> tuple:
        flat = [value for size in sizes for value in (size if isinstance(size, tuple) else (size,))]
        if min(flat) < 1:
            raise ValueError("every number must be at least 1")
        return sizes

    @field_validator("dropout")
    @classmethod
    def _shares(cls, dropout: tuple[float, float, float]) -> tuple[float, float, float]:
        if not all(0 <= share < 1 for share in dropout):
            raise ValueError("every dropout must be at least 0 and below 1")
        return dropout

    @field_validator("squeeze_excite")
    @classmethod
    def _ratios(cls, ratios: tuple[int, int]) -> tuple[int, int]:
        if min(ratios) < 0:
            raise ValueError("a reduction ratio is at least 1, or 0 for no gate")
        return ratios

    def build(self, input: FeatureMap) -> "ResNet":
        return ResNet(self, input)


class ResidualStage(nn.Module):
    """Video `b c t h w` to `b d t2 h2 w2`; the pool is left out where `pool` is None."""

    def __init__(
        self,
        input: FeatureMap,
        conv: CausalConv3d,
        *,
        pool: SpatialPool | None = None,
        dropout: float = 0.0,
        alignment: Alignment = "newest",
        place: Place = "middle",
    ):
        super().__init__()
        channels = conv.conv.out_channels
        self.conv = conv
        self.norm = ChannelRmsNorm(channels)
        self.dropout = nn.Dropout(dropout)
        self.pool: nn.Module = pool or nn.Identity()
        self.shortcut = nn.Conv3d(input.channels, channels, 1, bias=False)
        self.alignment, self.place = alignment, place
        per_cell = pool.stride if pool else 1
        self.stride = (conv.stride[0], conv.stride[1] * per_cell, conv.stride[2] * per_cell)
        # A cell's place is the mean of its two paths'; a corner lies beside the middle of the pool's window.
        offset = 0.0 if pool is None else pool.offset if place == "middle" else pool.offset / 2
        self.out = coarser(
            input,
            channels=channels,
            time_stride=self.stride[0],
            rows=[self.stride[1] * i + offset * conv.stride[1] for i in range(-(-input.height // self.stride[1]))],
            cols=[self.stride[2] * i + offset * conv.stride[2] for i in range(-(-input.width // self.stride[2]))],
        )

    def forward(self, x: Float[Tensor, "b c t h w"]) -> Float[Tensor, "b d t2 h2 w2"]:
        y = self.dropout(nn.functional.silu(self.norm(self.conv(x))))
        y = rearrange(self.pool(rearrange(y, "b d t h w -> (b t) d h w")), "(b t) d h w -> b d t h w", b=x.shape[0])
        return y + self.shortcut(self._kept(x, y.shape[2]))

    def _kept(self, x: Float[Tensor, "b c t h w"], steps: int) -> Float[Tensor, "b c t2 h2 w2"]:
        """The frames and cells that the shortcut takes."""
        if self.alignment == "visioncore":
            x = x[:, :, x.shape[2] - steps :]
        else:
            x = x[:, :, newest_phase(x.shape[2], self.stride[0]) :: self.stride[0]]
        if self.place == "corner" or not isinstance(self.pool, SpatialPool):
            return x[..., :: self.stride[1], :: self.stride[2]]
        _, high, wide = self.conv.stride
        frames = rearrange(x[..., ::high, ::wide], "b c t h w -> (b t) c h w")
        return rearrange(self.pool.middle(frames), "(b t) c h w -> b c t h w", b=x.shape[0])


class ResNet(Core, Recomputing):
    """Video `b c t h w` to features `b d t2 h2 w2`."""

    def __init__(self, config: ResNetConfig, input: FeatureMap):
        super().__init__()
        self.config = config
        first, second, third = config.channels
        kernels = config.kernel_sizes
        self.stage_1 = ResidualStage(
            input,
            CausalConv3d(input.channels, first, kernels[0], config.stem_stride),
            dropout=config.dropout[0],
            alignment=config.shortcut_alignment,
        )
        self.stage_2 = ResidualStage(
            self.stage_1.out,
            CausalConv3d(first, second, kernels[1]),
            pool=SpatialPool(config.pool, second, config.pool_strides[0], config.squeeze_excite[0]),
            dropout=config.dropout[1],
            place=config.shortcut_place,
        )
        self.stage_3 = ResidualStage(
            self.stage_2.out,
            CausalConv3d(second, third, kernels[2], dilation=config.dilation),
            pool=SpatialPool(config.pool, third, config.pool_strides[1], config.squeeze_excite[1]),
            dropout=config.dropout[2],
            place=config.shortcut_place,
        )
        self.out = self.stage_3.out
        self.receptive_field = receptive_field((self.stage_1, self.stage_2, self.stage_3))

    def forward(self, video: Float[Tensor, "b c t h w"]) -> Float[Tensor, "b d t2 h2 w2"]:
        video = video.contiguous(memory_format=torch.channels_last_3d)  # what the convolutions are fastest in
        for stage in (self.stage_1, self.stage_2, self.stage_3):
            video = self.through(stage, video)
        return video

    def parts(self) -> dict[str, nn.Module]:
        """What the tables list, in the order of the flow."""
        return {"stage_1": self.stage_1, "stage_2": self.stage_2, "stage_3": self.stage_3}

    def lints(self) -> tuple[str, ...]:
        """Options that are set but that nothing reads, and choices worth a second look."""
        if self.config.shortcut_alignment == "newest":
            return ()
        if self.config.stem_stride[0] == 1:
            return ("shortcut_alignment: nothing reads it, the first stage does not stride in time",)
        return (
            "shortcut_alignment: visioncore lets every step but the newest see later frames; "
            "trust only scores of the newest bin of a window",
        )


def receptive_field(stages: tuple[ResidualStage, ...]) -> dict[str, int]:
    """Frames and pixels (rows) that one output cell depends on, gates aside: each reach times the stride so far."""
    frames, pixels = 1, 1
    time_stride, space_stride = 1, 1
    for stage in stages:
        frames += stage.conv.reach[0] * time_stride
        pixels += stage.conv.reach[1] * space_stride
        time_stride *= stage.conv.stride[0]
        space_stride *= stage.conv.stride[1]
        if isinstance(stage.pool, SpatialPool):
            pixels += stage.pool.reach * space_stride
            space_stride *= stage.pool.stride
    return {"frames": frames, "pixels": pixels}
