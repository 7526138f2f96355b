"""What every encoder of pixels asks of the data, and how it wants them: size, crop, mean and deviation.

    (v 3 h w) of 0 to 255 -> [0, 1] -> resized (bicubic, antialiased) and cropped as the model was trained -> normalised

Resizing and cropping follow timm's evaluation transform (`timm.data.create_transform`) by the model's data
configuration.
"""

import math
from dataclasses import dataclass
from typing import Literal

from einops import rearrange
from jaxtyping import Float, Shaped
from torch import Tensor
from torch.nn import functional

from ablate.disk.read import Json
from ablate.errors import AblateError

Crop = Literal["center", "squash", "border"]
ROUNDING = 1e-6  # a side that is to become 224 becomes 223.99999


@dataclass(frozen=True)
class Pixels:
    """What a backbone expects. size: height and width. mean, std: of each channel of pixels in [0, 1] (RGB).

    crop_mode: both sides pressed into the size (squash), or the aspect ratio kept and the middle cut out, after the
    shorter (center) or the longer side (border: what is missing has the mean's colour) was brought to size / crop_pct.
    """

    size: tuple[int, int]
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    crop_mode: Crop = "squash"
    crop_pct: float = 1.0
    mode: str = "bicubic"

    @staticmethod
    def of_timm(data: Json) -> "Pixels":
        """From a model's data configuration (`timm.data.resolve_model_data_config`)."""
        mode = "bilinear" if data["interpolation"] == "bilinear" else "bicubic"
        crop: Crop = data["crop_mode"] or "center"
        height, width = data["input_size"][1:]
        return Pixels((height, width), tuple(data["mean"]), tuple(data["std"]), crop, float(data["crop_pct"]), mode)

    def resized(self, height: int, width: int) -> tuple[int, int]:
        """Rows and columns to which frames are scaled before anything is cut off."""
        wanted = [math.floor(side / self.crop_pct) for side in self.size]
        if self.crop_mode == "squash":
            return wanted[0], wanted[1]
        pick = max if self.crop_mode == "center" else min
        scale = pick(wanted[0] / height, wanted[1] / width)
        if self.crop_mode == "center" and wanted[0] == wanted[1]:
            return int(height * scale + ROUNDING), int(width * scale + ROUNDING)  # cut off, as torchvision's Resize
        return max(1, round(height * scale)), max(1, round(width * scale))

    def prepare(self, frames: Shaped[Tensor, "v 3 h w"]) -> Float[Tensor, "v 3 h2 w2"]:
        """Pixels of 0 to 255 as the backbone wants them."""
        x = frames.float() / 255
        scaled = self.resized(*x.shape[-2:])
        if tuple(x.shape[-2:]) != scaled:
            x = functional.interpolate(x, scaled, mode=self.mode, antialias=True, align_corners=False).clamp(0, 1)
        mean, std = (rearrange(x.new_tensor(values), "c -> c 1 1") for values in (self.mean, self.std))
        return _middle((x - mean) / std, self.size)

    def tell(self, height: int, width: int) -> str:
        """What becomes of frames of this size, in a few words."""
        scaled, (rows, columns) = self.resized(height, width), self.size
        told = "as they are" if scaled == (height, width) else f"scaled to {scaled[0]} x {scaled[1]}"
        if self.crop_mode == "squash" and scaled[0] * width != scaled[1] * height:
            told += ", the aspect ratio not kept"
        return told if scaled == self.size else f"{told}, the middle {rows} x {columns} of it"


def _middle(x: Float[Tensor, "v 3 h w"], size: tuple[int, int]) -> Float[Tensor, "v 3 h2 w2"]:
    """Cut, or filled with zeros, to the size around the middle; off by half, as torchvision's CenterCrop."""
    for axis, wanted in ((-2, size[0]), (-1, size[1])):
        spare = x.shape[axis] - wanted
        if spare > 0:
            x = x.narrow(axis, round(spare / 2), wanted)
        elif spare < 0:
            before = -spare // 2
            pads = (before, -spare - before)
            x = functional.pad(x, (0, 0, *pads) if axis == -2 else pads)
    return x


def require_pixels(frame_shape: tuple[int, ...]) -> tuple[int, int]:
    """Height and width of a frame. Raises AblateError if the data hold features."""
    if len(frame_shape) == 3 and frame_shape[0] == 3:
        return frame_shape[1], frame_shape[2]
    held = f"features of width {frame_shape[0]}" if len(frame_shape) == 1 else f"arrays of shape {frame_shape}"
    raise AblateError(
        f"the data hold {held}, not pixels (3, h, w)",
        where="baseline.video.type",
        hint="use `video: {type: features}`, or data with pixels (coincidence: `mode: pixels`)",
    )
