"""Every array of a trial in every type and memory order: read as the same numbers, or refused at the check."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from trial_folders import native, opened, trials_of, video

from ablate.errors import AblateError

NUMBERS = ("i1", "u1", ">i2", ">u4", "i8", "u8", "f2", ">f2", ">f4", "f4", ">f8", "f8", "g")
OTHERS = ("c8", ">c16", "U1", "S1", "M8[s]", "m8[s]", "V4", "i4,f8", "O")


def versions(values: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    for dtype in (*NUMBERS, *OTHERS):
        yield dtype, np.zeros(values.shape, dtype) if dtype in ("V4", "i4,f8") else values.astype(dtype)
    yield "bool", values.astype(bool)
    yield "Fortran", np.asfortranarray(values)
    yield "strided", np.repeat(values, 2, axis=-1)[..., ::2]
    yield "0-d", np.array(1)
    yield "empty", values[:0]


def of_small_numbers(one: dict[str, Any], index: int) -> None:
    random = np.random.default_rng(index)
    one["eeg"] = random.integers(0, 100, one["eeg"].shape)
    one["features"] = random.integers(0, 2, one["features"].shape)
    one["frame_mask"] = np.ones((2, 3), int)
    one["frame_t"] = np.arange(2)[:, None] * 2 + np.zeros((2, 3), int)


def pixels_too(one: dict[str, Any], index: int) -> None:
    of_small_numbers(one, index)
    video(one, np.random.default_rng(index).integers(0, 2, (2, 3, 8, 6, 3)))


def read_or_refused(folder: Path, trials: list[dict[str, Any]], **options: Any) -> tuple[np.ndarray, np.ndarray] | str:
    """EEG and frames of all trials, or the message."""
    try:
        data = opened(native(folder, trials), **options)
    except AblateError as error:
        return str(error)
    batch = next(iter(data.train(seed=0, batch_size=4)))
    return batch.eeg.numpy(), batch.frames.numpy()


@pytest.mark.parametrize(
    ("array", "plant", "options"),
    [
        *((name, of_small_numbers, {}) for name in ("eeg", "features", "frame_mask", "frame_t")),
        ("video", pixels_too, {"pixel_max": 1.0}),
    ],
)
def test_an_array_of_any_type_is_the_same_numbers_or_refused_with_its_trial(
    array: str, plant: Callable[[dict[str, Any], int], None], options: dict[str, Any], tmp_path: Path
) -> None:
    trials = trials_of(subjects=2, each=3, change=plant)
    meant, taken = read_or_refused(tmp_path / "meant", trials, **options), []
    assert not isinstance(meant, str), meant
    for name, _ in versions(trials[0][array]):
        spoilt = [{**one, array: dict(versions(one[array]))[name]} for one in trials]
        found = read_or_refused(tmp_path / name.replace("[s]", ""), spoilt, **options)
        if isinstance(found, str):
            assert "t000" in found, f"{array} {name}: {found}"
            continue
        taken.append(name)
        for one, other in zip(found, meant, strict=True):
            np.testing.assert_array_equal(one, other, err_msg=f"{array} {name}")
    assert {*NUMBERS, "Fortran", "strided"} <= set(taken), f"{array}: {taken}"
    assert not {*OTHERS, "0-d", "empty"} & set(taken), f"{array}: {taken}"
