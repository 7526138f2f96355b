"""Frames are resized and cropped as the model was trained: against timm's own evaluation transform."""

import numpy as np
import pytest
import timm
import torch
from PIL import Image

from ablate.model.video.pixels import Pixels
from ablate.model.video.timm_vit import TimmConfig

SIZES = [(48, 64), (90, 57), (32, 32), (40, 40)]


def smooth(height: int, width: int) -> np.ndarray:
    """A picture without sharp edges, of which PIL's integers and torch's floats make the same."""
    rows, columns = np.mgrid[0:height, 0:width] / 20
    return np.stack([127 + 90 * np.sin(rows + k) * np.cos(columns) for k in range(3)], axis=2).astype(np.uint8)


@pytest.mark.parametrize("shape", SIZES)
@pytest.mark.parametrize("crop", [("center", 0.9), ("center", 1.0), ("squash", 0.9), ("squash", 1.0), ("border", 1.0)])
@pytest.mark.parametrize("size", [(32, 32), (24, 32)])
def test_frames_become_what_timm_makes_of_them(
    shape: tuple[int, int], crop: tuple[str, float], size: tuple[int, int]
) -> None:
    data = {
        "input_size": (3, *size),
        "interpolation": "bicubic",
        "mean": (0.48, 0.46, 0.41),
        "std": (0.27, 0.26, 0.28),
        "crop_mode": crop[0],
        "crop_pct": crop[1],
    }
    picture = smooth(*shape)
    own = Pixels.of_timm(data).prepare(torch.from_numpy(picture).permute(2, 0, 1)[None])[0]
    expected = timm.data.create_transform(**data, is_training=False)(Image.fromarray(picture))
    assert own.shape == expected.shape
    torch.testing.assert_close(own, expected, atol=0.03, rtol=0)  # PIL rounds to 1/255 after each of its two passes


def test_what_becomes_of_frames_is_told() -> None:
    kept = TimmConfig(name="test_vit", weights="random", cache=False).build((3, 48, 64), 1, 2)
    assert kept.cost_notes() == {"frames": "scaled to 168 x 224, the middle 160 x 160 of it"}
    pressed = Pixels((224, 224), (0.5,) * 3, (0.5,) * 3, "squash")
    assert pressed.tell(48, 64) == "scaled to 224 x 224, the aspect ratio not kept"
    assert TimmConfig(name="test_vit", weights="random").build((3, 160, 160), 1, 2).cost_notes() == {}
