"""A natural-statistics movie: dead leaves, panned and cut like film, seen through a moving eye.

Dead leaves (Lee, Mumford & Huang 2001) are opaque discs with radii distributed as r^-3: edges, occlusion and a 1/f
amplitude spectrum, which Gaussian noise of the same spectrum lacks. The smallest leaf is half a stimulus pixel, so that
the spectrum holds up to the finest grating, and a movie of 8 x 8 pixels is as natural as one of 51 x 51. The canvas is
painted at twice the resolution, so that the eye moves in steps of half a pixel. Every scene has its own place,
mirroring, polarity, contrast and pan.
"""

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Float, Float32, Int, UInt8

from ablate.data.synthetic.eye import REACH

Array = np.ndarray

FINE = 2  # canvas pixels a stimulus pixel
ROOM = 400  # stimulus pixels of canvas around a crop: over fifty scenes side by side without overlap
SMALLEST_LEAF, LARGEST_LEAF = 1.0, 120.0  # radius, canvas pixels
LEAVES_PER_PIXEL = 0.1  # leaves a canvas pixel; the canvas is then covered about three times
AT_ONCE = 1 << 18  # pixels of discs looked at together: a few megabytes
SCENE_S = 1.0  # mean length of a scene
PAN = 12.0  # pixels a second, standard deviation of the camera's speed along each axis
SPREAD = 50.0  # grey levels: standard deviation of leaves at full contrast
GREY = 127.5


@dataclass(frozen=True)
class Scene:
    """One shot: frames [start, end), canvas place of its first frame, pan in pixels a frame, contrast (negative:
    inverted)."""

    start: int
    end: int
    place: tuple[float, float]
    pan: tuple[float, float]
    contrast: float
    mirror: tuple[int, int]


def make_movie(
    random: np.random.Generator, eye: Float[np.ndarray, "t 2"], height: int, width: int, bin_rate_hz: float
) -> UInt8[np.ndarray, "t h w"]:
    """The stimulus on the retina, one frame a bin."""
    frames = len(eye)
    margin = int(REACH) + 2
    shape = (height + 2 * margin + ROOM, width + 2 * margin + ROOM)
    phases = _phases(_dead_leaves(random, (shape[0] * FINE, shape[1] * FINE)))
    movie = np.empty((frames, height, width), np.uint8)
    for scene in scenes_of(random, frames, bin_rate_hz):
        here = slice(scene.start, scene.end)
        time = np.arange(scene.end - scene.start)[:, None]
        place = np.array(scene.place) * ROOM + margin + time * np.array(scene.pan) + eye[here, ::-1]  # row, column
        place = np.clip(np.round(place * FINE), 0, np.array([ROOM + 2 * margin] * 2) * FINE).astype(int)
        levels = np.clip(np.round(GREY + scene.contrast * (np.arange(256) - GREY)), 0, 255).astype(np.uint8)
        shots = movie[here]
        for index, (row, column) in enumerate(place.tolist()):
            phase = phases[row % FINE][column % FINE]
            top, left = row // FINE, column // FINE
            shots[index] = phase[top : top + height, left : left + width][:: scene.mirror[0], :: scene.mirror[1]]
        np.take(levels, shots, out=shots)
    return movie


def scenes_of(random: np.random.Generator, frames: int, bin_rate_hz: float) -> list[Scene]:
    """Shots one after another until all frames are in one."""
    scenes, start = [], 0
    while start < frames:
        length = int(np.clip(random.exponential(SCENE_S), 0.3, 3.0) * bin_rate_hz) + 1
        row, column = random.random(2).tolist()
        pan = random.normal(0, PAN / bin_rate_hz, 2).tolist()
        contrast = float(np.exp(random.uniform(np.log(0.25), 0.0)) * random.choice([-1, 1]))
        mirror = random.choice([-1, 1], 2).tolist()
        scenes.append(
            Scene(start, min(start + length, frames), (row, column), (pan[0], pan[1]), contrast, tuple(mirror))
        )
        start += length
    return scenes


def _dead_leaves(random: np.random.Generator, shape: tuple[int, int]) -> UInt8[np.ndarray, "h w"]:
    """Opaque discs, each with its own grey and a slight gradient, painted from the back to the front."""
    count = int(shape[0] * shape[1] * LEAVES_PER_PIXEL)
    uniform = random.random(count)
    inverse_square = SMALLEST_LEAF**-2 + uniform * (LARGEST_LEAF**-2 - SMALLEST_LEAF**-2)
    radii = inverse_square**-0.5  # density r^-3 between the two ends
    centers = random.random((count, 2)) * np.array(shape)
    greys = GREY + SPREAD * random.standard_normal(count)
    slopes = random.normal(0, 0.25, (count, 2)) * SPREAD / radii[:, None]
    front = _in_front(centers, radii, shape)
    (painted,) = np.nonzero(front >= 0)
    leaf = front[painted]
    y, x = _from_center(*np.divmod(painted, shape[1]), centers[leaf])
    greys, slopes = greys.astype(np.float32), slopes.astype(np.float32)
    canvas = np.full(front.shape, GREY, np.float32)
    canvas[painted] = greys[leaf] + slopes[leaf, 0] * y + slopes[leaf, 1] * x
    return np.clip(np.round(canvas), 0, 255).astype(np.uint8).reshape(shape)


def _in_front(
    centers: Float[np.ndarray, "n 2"], radii: Float[np.ndarray, " n"], shape: tuple[int, int]
) -> Int[np.ndarray, " p"]:
    """The last disc that covers each pixel of the canvas, row by row; -1 where none does."""
    boxes = np.concatenate([centers - radii[:, None], centers + radii[:, None] + 1], axis=1)
    top, left, bottom, right = np.clip(boxes, 0, np.array([*shape, *shape])).astype(int).T
    width, pixels = right - left, (right - left) * (bottom - top)
    ends = np.cumsum(pixels)
    cuts = np.searchsorted(ends, np.arange(0, ends[-1] + AT_ONCE, AT_ONCE), side="right")
    front = np.full(shape[0] * shape[1], -1)
    for first, last in pairwise(cuts.tolist()):
        leaf = np.repeat(np.arange(first, last), pixels[first:last])
        within = np.arange(len(leaf)) - np.repeat(ends[first:last] - pixels[first:last], pixels[first:last])
        row, column = np.divmod(within + (ends[first - 1] if first else 0), width[leaf])
        row, column = row + top[leaf], column + left[leaf]
        y, x = _from_center(row, column, centers[leaf])
        inside = y * y + x * x <= radii[leaf] ** 2
        np.maximum.at(front, (row * shape[1] + column)[inside], leaf[inside])
    return front


def _from_center(
    row: Int[np.ndarray, " p"], column: Int[np.ndarray, " p"], center: Float[np.ndarray, "p 2"]
) -> tuple[Float32[np.ndarray, " p"], Float32[np.ndarray, " p"]]:
    y, x = center.astype(np.float32).T
    return row.astype(np.float32) - y, column.astype(np.float32) - x


def _phases(canvas: UInt8[np.ndarray, "h w"]) -> list[list[Array]]:
    """The canvas at the stimulus's resolution, once for every half-pixel place: means over FINE x FINE pixels."""
    padded = np.pad(canvas, ((0, FINE), (0, FINE)), mode="edge").astype(np.uint16)
    height, width = canvas.shape
    total = sum(padded[i : i + height, j : j + width] for i in range(FINE) for j in range(FINE))
    mean = (np.asarray(total) // FINE**2).astype(np.uint8)
    return [[np.ascontiguousarray(mean[i::FINE, j::FINE]) for j in range(FINE)] for i in range(FINE)]
