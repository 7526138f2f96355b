"""CASES 19 and 28: types of numbers, NaN in a valid frame, axes and ranges of pixels."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from trial_folders import native, opened, problems, said, seed_dv, trials_of, video

from ablate.model.fusion.model import FusionConfig


def typed(folder: Path, dtype: Any, scale: float = 1.0) -> Path:
    return native(folder, trials_of(change=lambda one, _: one.update(features=(scale * one["features"]).astype(dtype))))


@pytest.mark.parametrize("dtype", [np.float16, np.float64, ">f4", np.longdouble, np.int8, ">i2", np.uint16, bool])
def test_features_of_any_type_of_number_train(tmp_path: Path, dtype: Any) -> None:
    """Every run on such features failed in torch."""
    data = opened(typed(tmp_path, dtype, 40.0))
    batch = next(data.train(seed=0, batch_size=4))
    assert batch.frames.dtype == torch.float32
    model = FusionConfig.model_validate({"embedding_dim": 8, "eeg": {"type": "eegnet", "kernel_size": 9}})
    out = torch.cat(model.build(data.spec)(batch))
    assert torch.isfinite(out).all()
    row = data.splits["train"].trial_ids[0]
    with np.load(tmp_path / f"{row}.npz") as arrays:
        np.testing.assert_array_equal(data.splits["train"].frames[np.array([0])][0], arrays["features"].astype("f4"))


@pytest.mark.parametrize("dtype", [complex, "U3"])
def test_features_that_are_no_numbers_are_refused(tmp_path: Path, dtype: Any) -> None:
    assert "expected numbers" in said(typed(tmp_path, dtype))


@pytest.mark.parametrize(("value", "dtype"), [(np.nan, "f4"), (np.inf, "f4"), (1e300, "f8")])
def test_a_value_that_is_no_number_is_named_with_its_trial(tmp_path: Path, value: float, dtype: str) -> None:
    """It was `loss became non-finite at step 3`, without the trial's name."""

    def change(one: dict[str, Any], index: int) -> None:
        one["features"] = one["features"].astype(dtype)
        if index == 7:
            one["features"][1, 2, 3] = value

    (problem,) = problems(native(tmp_path, trials_of(change=change)))
    assert problem.where == f"{tmp_path}/t007.npz (trial t007)"
    assert problem.what == "1 valid frames hold NaN or infinity (the first: frame 2 of interval 1)"


def test_nan_in_seed_dv_features_is_named_with_its_place(tmp_path: Path) -> None:
    features = np.load(seed_dv(tmp_path) / "features.npy")
    features[1, 2, 3, 0, 0] = np.nan
    np.save(tmp_path / "features.npy", features)
    assert "features.npy (block 1, place 2): 1 valid frames hold NaN or infinity" in said(tmp_path, layout="seed_dv")


@pytest.mark.parametrize("dtype", [np.float16, ">f8", np.int16])
def test_eeg_of_any_type_of_number_is_read(tmp_path: Path, dtype: Any) -> None:
    trials = trials_of(change=lambda one, _: one.update(eeg=one["eeg"].astype(dtype)))
    eeg = opened(native(tmp_path, trials)).splits["train"].eeg
    assert eeg.dtype == np.float32
    assert eeg.std() == pytest.approx(20, rel=0.05)


def test_float16_volts_do_not_overflow(tmp_path: Path) -> None:
    trials = trials_of(change=lambda one, _: one.update(eeg=(one["eeg"] * 1e-3).astype(np.float16)))
    assert opened(native(tmp_path, trials, units="mV")).splits["train"].eeg.std() == pytest.approx(20, rel=0.05)


# ------------------------------------------------------------------ pixels

PIXELS = np.random.default_rng(0).integers(0, 256, (2, 3, 8, 6, 3), dtype=np.uint8)


def shown(folder: Path, pixels: np.ndarray, **options: Any) -> np.ndarray:
    """The first frame of a training trial as a model gets it."""
    data = opened(native(folder, trials_of(change=lambda one, _: video(one, pixels))), **options)
    assert data.spec.frame_shape == (3, 8, 6)
    frames = next(data.train(seed=0, batch_size=2)).frames
    assert frames.dtype == torch.uint8
    return frames[0].numpy()


@pytest.mark.parametrize(
    ("pixels", "pixel_max"),
    [
        (PIXELS, None),
        (PIXELS, 255),
        (PIXELS.astype(np.float32) / 255, 1),
        (PIXELS.astype(np.float64), 255),
        (PIXELS.astype(np.uint16) * 257, 65535),
        (np.moveaxis(PIXELS, 4, 2), None),
        (np.moveaxis(PIXELS.astype(np.float32) / 255, 4, 2), 1),
    ],
)
def test_pixels_of_any_range_and_axes_are_one(tmp_path: Path, pixels: np.ndarray, pixel_max: float | None) -> None:
    """Floats of 0 to 1 were divided by 255 once more, so every frame was black; channels first were `features`."""
    np.testing.assert_array_equal(shown(tmp_path, pixels, pixel_max=pixel_max), np.moveaxis(PIXELS, 4, 2))


@pytest.mark.parametrize(
    ("pixels", "what"),
    [
        (PIXELS.astype(np.float32) / 255, "video of type float32, with values from 0 to 1"),
        (PIXELS.astype(np.uint16) * 16, "video of type uint16, with values from 0 to 4080"),
        (PIXELS[..., :1], "video of shape (2, 3, 8, 6, 1), expected (i, f, h, w, 3) or (i, f, 3, h, w)"),
        (PIXELS[..., 0], "video of shape (2, 3, 8, 6), expected (i, f, h, w, 3) or (i, f, 3, h, w)"),
        (np.concatenate([PIXELS, PIXELS[..., :1]], axis=4), "video of shape (2, 3, 8, 6, 4), expected"),
    ],
)
def test_pixels_that_could_mean_two_things_are_a_question(tmp_path: Path, pixels: np.ndarray, what: str) -> None:
    native(tmp_path, trials_of(change=lambda one, _: video(one, pixels)))
    assert what in said(tmp_path)


@pytest.mark.parametrize("pixel_max", [1.0, 100.0])
def test_pixels_beyond_white_are_refused(tmp_path: Path, pixel_max: float) -> None:
    native(tmp_path, trials_of(change=lambda one, _: video(one, PIXELS.astype(np.float32))))
    assert f"video with values from 0 to 255, outside 0 to pixel_max {pixel_max:g}" in said(
        tmp_path, pixel_max=pixel_max
    )
