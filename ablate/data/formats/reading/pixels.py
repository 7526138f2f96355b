"""Frames as a recording keeps them: bytes where nothing is lost by it, else float32."""

import numpy as np


def as_pixels(parts: list[np.ndarray]) -> np.ndarray:
    """One array of all frames: uint8 where every value is a whole number from 0 to 255, else float32."""
    whole = all(part.dtype == np.uint8 for part in parts)
    return np.concatenate(parts if whole else [part.astype(np.float32) for part in parts])


def as_uint8(frames: np.ndarray) -> np.ndarray:
    """As uint8 where nothing is lost by it, else float32."""
    if frames.dtype == np.uint8:
        return np.asarray(frames)
    values = np.asarray(frames, np.float32)
    whole = values.size and values.min() >= 0 and values.max() <= 255 and np.array_equal(values, np.floor(values))
    return values.astype(np.uint8) if whole else values
