"""Frames as people store them in arrays: features of any type of number, pixels of any axes and range.

    features (i, f, d)                                    -> float32
    pixels   (i, f, h, w, 3) or (i, f, 3, h, w)           -> uint8, 0 to 255, channels last

uint8 pixels are taken as they are. For every other type the recipe says what white is (`data.pixel_max`: 1 for floats
of 0 to 1, 4095 for 12 bits in uint16), since a dark film of floats looks like any other.
"""

import numpy as np
from numpy.typing import NDArray

from ablate.errors import AblateError

AXES = {"features": "(i, f, d)", "video": "(i, f, h, w, 3) or (i, f, 3, h, w)"}


def frame_shape(shape: tuple[int, ...], kind: str, where: str) -> tuple[int, ...]:
    """(d,) or (3, h, w) of an array of frames (i, f, ...). Raises AblateError for other axes and empty ones."""
    if kind == "features" and len(shape) == 3 and all(shape):
        return shape[2:]
    if kind == "video" and len(shape) == 5 and all(shape) and 3 in (shape[2], shape[4]):
        return (3, *shape[2:4]) if shape[4] == 3 else tuple(shape[2:])
    hint = "frames in grey have three equal channels; frames of RGBA lose the fourth" if kind == "video" else ""
    raise AblateError(f"{kind} of shape {shape}, expected {AXES[kind]}", where=where, hint=hint)


def clean(
    frames: NDArray[np.generic], mask: NDArray[np.bool_], kind: str, where: str, pixel_max: float | None
) -> NDArray[np.generic]:
    """Frames in the one form that the rest of the program knows. Raises AblateError for what is none."""
    frame_shape(frames.shape, kind, where)
    if frames.dtype.kind not in "buif":
        raise AblateError(f"{kind} of type {frames.dtype}, expected numbers", where=where)
    return _features(frames, mask, where) if kind == "features" else _pixels(frames, mask, where, pixel_max)


def _features(frames: NDArray[np.generic], mask: NDArray[np.bool_], where: str) -> NDArray[np.float32]:
    with np.errstate(over="ignore"):  # what no float32 can hold becomes infinite, and is refused as such
        features = frames.astype(np.float32, copy=False)
    broken = mask & ~np.isfinite(features).all(axis=2)
    if broken.any():
        i, f = (int(index[0]) for index in np.nonzero(broken))
        raise AblateError(
            f"{int(broken.sum())} valid frames hold NaN or infinity (the first: frame {f} of interval {i})",
            where=where,
            hint="mark frames that are not there as False in frame_mask",
        )
    return features


def _pixels(
    frames: NDArray[np.generic], mask: NDArray[np.bool_], where: str, pixel_max: float | None
) -> NDArray[np.uint8]:
    if frames.shape[4] != 3:
        frames = np.moveaxis(frames, 2, 4)
    if frames.dtype == np.uint8 and pixel_max in (None, 255):
        return frames  # type: ignore[return-value]
    valid = frames[mask].astype(np.float64)
    least, most = (float(valid.min()), float(valid.max())) if valid.size else (0.0, 0.0)
    if pixel_max is None:
        what = f"video of type {frames.dtype}, with values from {least:g} to {most:g}"
        raise AblateError(
            what, where=where, hint="say what white is: `data.pixel_max: 1`, 255, 4095, ...; or store uint8"
        )
    if not (least >= 0 and most <= pixel_max):
        what = f"video with values from {least:g} to {most:g}, outside 0 to pixel_max {pixel_max:g}"
        raise AblateError(what, where=where, hint="say what white is: `data.pixel_max`; or store uint8")
    pixels = np.zeros(frames.shape, dtype=np.uint8)
    pixels[mask] = np.round(valid * (255 / pixel_max))
    return pixels
