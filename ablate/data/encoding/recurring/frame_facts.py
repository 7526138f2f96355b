"""Each frame as one number, whether it is blank, and how many bits a frame holds: all that is asked of the pixels.

Frames are looked at in pieces, never one by one. Bits: two pictures that were drawn independently are equal with
probability prod_pixel q(pixel), q the chance that a pixel is equal in two of them; a picture holds -log2 of that.
Pixels that always change together count once, so a full field is one pixel, however it was stored.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from jaxtyping import UInt64

from ablate.data.recording.array_file import let_go

Array = np.ndarray

WORD_BYTES = 8
PIECE_BYTES = 1 << 20  # stays in the processor's cache while it is gone through
PAIRS = 2000  # pairs of showings from which q is estimated, so that a pixel holds at most 11 bits


@dataclass(frozen=True)
class FrameFacts:
    """number: (t,) equal for equal frames. uniform: (t,) all pixels equal, in a stimulus where not all frames are.
    bits: of a picture, however long it is held. bits_a_frame: of a frame in a stretch; one that is held adds none."""

    number: Array
    uniform: Array
    bits: float
    bits_a_frame: float


def frame_facts(stimulus: Array) -> FrameFacts:
    """Of one recording's stimulus (t, h, w)."""
    numbers, uniform = [], []
    for rows in _pieces(stimulus):
        numbers.append(_numbers(rows))
        uniform.append((rows == rows[:, :1]).all(1))
    number, blank = np.concatenate(numbers), np.concatenate(uniform)
    blank &= not blank.all()  # a full field is never blank
    showings = holds_of(number, np.zeros(len(number), np.int64))
    of_showings = _bits(stimulus, showings)
    held = len(showings) < len(number)
    of_frames = _bits(stimulus, np.arange(len(number))) if held else of_showings
    let_go(stimulus)
    return FrameFacts(number, blank, of_showings, of_frames * len(showings) / len(number))


def frame_hashes(stimulus: Array) -> UInt64[np.ndarray, " t"]:
    """One number a frame, from its bytes."""
    return np.concatenate([_numbers(rows) for rows in _pieces(stimulus)])


def holds_of(frames: Array, run_start: Array) -> Array:
    """First frames of the showings: where the frame changes, or a run of frames begins."""
    here = np.arange(len(frames))
    changed = np.concatenate([[True], frames[1:] != frames[:-1]])
    return np.flatnonzero(changed | (run_start == here))


def _pieces(stimulus: Array) -> Iterator[Array]:
    """Rows (n, pixel) of whole frames."""
    step = max(1, PIECE_BYTES // max(1, stimulus[0].nbytes))
    for start in range(0, len(stimulus), step):
        rows = np.ascontiguousarray(stimulus[start : start + step])
        yield rows.reshape(len(rows), -1)


def _numbers(rows: Array) -> UInt64[np.ndarray, " n"]:
    """sum_i word_i c_i mod 2^64 over the frame's words of 8 bytes, c_i odd: frames that differ in one word differ for
    sure, others but for one in 2^64."""
    size = rows[0].nbytes
    words = -(-size // WORD_BYTES)
    padded = np.zeros((len(rows), words * WORD_BYTES), np.uint8)
    padded[:, :size] = rows.view(np.uint8).reshape(len(rows), size)
    weights = mixed(np.arange(1, words + 1, dtype=np.uint64)) | np.uint64(1)
    return mixed(mixed(padded.view(np.uint64)) @ weights + np.uint64(size))


def _bits(stimulus: Array, places: Array) -> float:
    """-log2 of the chance that the frames at two of these places are equal, their pixels drawn independently."""
    if len(places) < 2:
        return 0.0
    random = np.random.default_rng(0)
    first = random.integers(0, len(places), PAIRS)
    second = (first + random.integers(1, len(places), PAIRS)) % len(places)
    some, index = np.unique(np.concatenate([places[first], places[second]]), return_inverse=True)
    courses, equal = [], []
    frames = stimulus.reshape(len(stimulus), -1)
    step = max(1, PIECE_BYTES // (len(some) * stimulus.dtype.itemsize))
    for start in range(0, frames.shape[1], step):  # some pixels of all these frames at a time
        pixels = np.asarray(frames[some, start : start + step])
        courses.append(_numbers(np.ascontiguousarray(pixels.T)))
        equal.append(np.mean(pixels[index[:PAIRS]] == pixels[index[PAIRS:]], axis=0))
    _, distinct = np.unique(np.concatenate(courses), return_index=True)
    return float(-np.log2(np.maximum(np.concatenate(equal)[distinct], 1 / PAIRS)).sum())


def mixed(numbers: UInt64[np.ndarray, "..."]) -> UInt64[np.ndarray, "..."]:
    """SplitMix64's finaliser (Steele, Lea & Flood 2014): spreads small numbers over all 64 bits."""
    numbers = (numbers ^ (numbers >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    numbers = (numbers ^ (numbers >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return numbers ^ (numbers >> np.uint64(31))
