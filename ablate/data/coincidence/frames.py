"""The frames of `coincidence`: an event is the order of two marker frames, A before B or B before A.

The set of frames is the same either way, so a model that is blind to order cannot tell them apart. In feature mode a
marker is a fixed vector in noise; in pixel mode a small moving square that turns red (A) or blue (B) for one frame.
"""

from typing import TYPE_CHECKING

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

if TYPE_CHECKING:
    from ablate.data.coincidence.config import CoincidenceConfig
    from ablate.data.coincidence.draw import Story

MARKER_A, MARKER_B, TRAP_ONE, TRAP_ZERO = 1, 2, 3, 4
COLOURS = np.array([[170, 170, 170], [235, 40, 40], [40, 40, 235], [40, 235, 40], [235, 235, 40]], dtype=np.float32)
BACKGROUND, PIXEL_NOISE = 90.0, 12.0  # of 255
FEATURE_NOISE = 0.3  # markers have unit length a dimension: told apart with d' = sqrt(2 d) / 0.3


def draw_markers(story: "Story", rng: Generator) -> NDArray[np.int64]:
    """What each frame shows (N, i, f): 0 nothing, else a marker. Two random valid frames carry A and B in the
    event's order."""
    draw = np.where(story.mask, rng.random(story.mask.shape), 2.0)
    pair = np.sort(np.argsort(draw, axis=2)[..., :2], axis=2)  # places of the earlier and the later marker
    first = np.where(story.shown == 1, MARKER_A, MARKER_B)
    markers = np.zeros(story.mask.shape, dtype=np.int64)
    np.put_along_axis(markers, pair, np.stack([first, MARKER_A + MARKER_B - first], axis=2), axis=2)
    trap = np.select([story.trap > 0, story.trap < 0], [TRAP_ONE, TRAP_ZERO], 0)
    return np.where(story.mask, markers, trap[..., None])


def draw_features(config: "CoincidenceConfig", story: "Story", rng: Generator) -> NDArray[np.float32]:
    """Frames as vectors (N, i, f, d); pads hold zeros or the padding trap."""
    looks = np.random.default_rng([config.seed, 98]).standard_normal((5, config.feature_dim))
    looks *= np.sqrt(config.feature_dim) / np.linalg.norm(looks, axis=1, keepdims=True)
    looks[0] = 0.0
    markers = draw_markers(story, rng)
    noise = FEATURE_NOISE * rng.standard_normal((*markers.shape, config.feature_dim), dtype=np.float32)
    shown = looks.astype(np.float32)[markers] + noise
    return np.where((story.mask | (markers > 0))[..., None], shown, np.float32(0))


def draw_pixels(config: "CoincidenceConfig", story: "Story", rng: Generator) -> NDArray[np.uint8]:
    """Frames as images (N, i, f, 3, h, w); a square walks over noise, one pixel a frame at most; pads are black."""
    markers = draw_markers(story, rng)
    size, side = config.image_size, max(3, config.image_size // 4)
    start = rng.integers(0, size - side + 1, (*markers.shape[:2], 1, 2))
    place = np.clip(start + rng.integers(-1, 2, (*markers.shape, 2)).cumsum(axis=2), 0, size - side)
    row, col = (place[..., axis, None] for axis in (0, 1))
    pixel = np.arange(size)
    inside = ((pixel >= row) & (pixel < row + side))[..., :, None] & ((pixel >= col) & (pixel < col + side))[
        ..., None, :
    ]
    frames = np.empty((*markers.shape, 3, size, size), dtype=np.uint8)
    for trial in range(len(frames)):  # one trial at a time: the noise of all of them would fill the memory
        picture = np.where(inside[trial, :, :, None], COLOURS[markers[trial]][..., None, None], BACKGROUND)
        picture = picture + PIXEL_NOISE * rng.standard_normal(picture.shape, dtype=np.float32)
        frames[trial] = np.clip(picture, 0, 255)
    frames[~(story.mask | (markers > 0))] = 0
    return frames
