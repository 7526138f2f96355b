"""The frames of `coincidence`: an event is the order of two marker frames, A before B or B before A.

The set of frames is the same either way, so a model that is blind to order cannot tell them apart. In feature mode a
marker is a fixed vector in noise; in pixel mode a small moving square that turns red (A) or blue (B) for one frame.
"""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from ablate.data.coincidence.story import Story
from ablate.data.trials.made import MadeTrialsConfig

MARKER_A, MARKER_B, TRAP_ONE, TRAP_ZERO = 1, 2, 3, 4
COLOURS = np.array([[160, 160, 160], [255, 50, 50], [50, 50, 255], [50, 255, 50], [255, 255, 50]], dtype=np.float32)
BACKGROUND, PIXEL_NOISE = 127.5, 8.0  # of 255
FEATURE_NOISE = 0.3  # markers have unit length a dimension: told apart with d' = sqrt(2 d) / 0.3


def draw_markers(story: Story, rng: Generator) -> NDArray[np.int64]:
    """What each frame shows (N, i, f): 0 nothing, else a marker. Two random valid frames carry A and B in the
    event's order."""
    draw = np.where(story.mask, rng.random(story.mask.shape), 2.0)
    pair = np.sort(np.argsort(draw, axis=2)[..., :2], axis=2)  # places of the earlier and the later marker
    first = np.where(story.shown == 1, MARKER_A, MARKER_B)
    markers = np.zeros(story.mask.shape, dtype=np.int64)
    np.put_along_axis(markers, pair, np.stack([first, MARKER_A + MARKER_B - first], axis=2), axis=2)
    trap = np.select([story.trap > 0, story.trap < 0], [TRAP_ONE, TRAP_ZERO], 0)
    return np.where(story.mask, markers, trap[..., None])


def draw_frames(
    config: MadeTrialsConfig, markers: NDArray[np.int64], mask: NDArray[np.bool_], rng: Generator
) -> "NDArray[np.float32] | PixelFilm":
    """The frames that show markers (N, i, f): vectors, or images (N, i, f, 3, h, w) drawn when they are asked for."""
    if config.mode == "features":
        return draw_features(config, markers, mask, rng)
    return PixelFilm(markers, mask, config.image_size, int(rng.integers(2**31)))


def draw_features(
    config: MadeTrialsConfig, markers: NDArray[np.int64], mask: NDArray[np.bool_], rng: Generator
) -> NDArray[np.float32]:
    """Frames as vectors (N, i, f, d); pads hold zeros or the padding trap."""
    looks = np.random.default_rng([config.seed, 98]).standard_normal((5, config.feature_dim))
    looks *= np.sqrt(config.feature_dim) / np.linalg.norm(looks, axis=1, keepdims=True)
    looks[0] = 0.0
    noise = FEATURE_NOISE * rng.standard_normal((*markers.shape, config.feature_dim), dtype=np.float32)
    shown = looks.astype(np.float32)[markers] + noise
    return np.where((mask | (markers > 0))[..., None], shown, np.float32(0))


@dataclass(frozen=True)
class PixelFilm:
    """Draws each trial from a seed of its own, so that a study at full size needs no memory for its images.

    A square walks over noise, one pixel a frame at most; pads are black. markers, mask: (N, i, f).
    """

    markers: NDArray[np.int64]
    mask: NDArray[np.bool_]
    size: int
    seed: int

    def __getitem__(self, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
        return np.stack([self.trial(int(row)) for row in rows])

    def trial(self, row: int) -> NDArray[np.uint8]:
        """One trial's images (i, f, 3, h, w)."""
        rng = np.random.default_rng([self.seed, row])
        markers, size, side = self.markers[row], self.size, max(3, self.size * 3 // 8)
        start = rng.integers(0, size - side + 1, (len(markers), 1, 2))
        place = np.clip(start + rng.integers(-1, 2, (*markers.shape, 2)).cumsum(axis=1), 0, size - side)
        top, left = (place[..., axis, None] for axis in (0, 1))
        pixel = np.arange(size)
        rows_in, cols_in = ((pixel >= edge) & (pixel < edge + side) for edge in (top, left))
        inside = rows_in[..., :, None] & cols_in[..., None, :]
        picture = np.where(inside[:, :, None], COLOURS[markers][..., None, None], np.float32(BACKGROUND))
        picture = picture + PIXEL_NOISE * rng.standard_normal(picture.shape, dtype=np.float32)
        frames = np.clip(picture, 0, 255).astype(np.uint8)
        frames[~(self.mask[row] | (markers > 0))] = 0
        return frames
