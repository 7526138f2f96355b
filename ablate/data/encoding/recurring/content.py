"""What is shown at each frame, as one number that is equal where the content is: a picture, or a short stretch.

How long a stretch must be to count follows from its bits: two of n independent showings are equal by chance in fewer
than one pair where they hold 2 log2 n bits. A frame of a picture or of rich noise holds more, so it counts alone,
moving or still. Coin flips of a full field hold one bit a frame, and only a long stretch of them is content; stretches
of poor frames that never change are none. What says nothing itself (a blank, or a picture that is shown between all
others) belongs to the content before it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ablate.data.encoding.recurring.frame_facts import FrameFacts, holds_of
from ablate.data.encoding.recurring.repeats import stretches

Array = np.ndarray

NOTHING = -1
COMMON = 0.4  # of all showings or trials: shown so often, a frame is the ground on which others are shown
LEAST_OTHERS = 3  # pictures beside it; with fewer, the picture is one of them


@dataclass(frozen=True)
class Content:
    """symbol: (t,) equal for equal content, `NOTHING` where there is none. length: frames of a stretch (1: a frame
    counts alone); 0 where no stretch of at most the asked length holds enough."""

    symbol: Array
    length: int


def content_of(facts: Sequence[FrameFacts], run_start: Array, *, longest: int, memory: int) -> Content:
    """Of all sessions together. run_start: first frame of each frame's unbroken run. longest: frames that a stretch may
    have. memory: frames after which a blank belongs to nothing any more."""
    frames = np.concatenate([one.number for one in facts])
    showings = holds_of(frames, run_start)
    needed = 2 * math.log2(max(2, len(showings)))
    if min(one.bits for one in facts) < needed:
        bits = min(one.bits_a_frame for one in facts)
        length = max(2, math.ceil(needed / bits)) if bits > 0 else longest + 1
        if length > longest:
            return Content(np.full(len(frames), NOTHING), 0)
        return Content(stretches(frames, run_start, length)[0], length)
    silent = np.concatenate([one.uniform for one in facts]) | is_common(frames, showings)
    return Content(_named_by_the_last(frames, silent, run_start, memory), 1)


def is_common(values: Array, some: Array, trials: int | None = None) -> Array:
    """(t,) whether a value is that of most showings, or, `some` being one place a value and trial, of most trials."""
    kinds, counts = np.unique(values[some], return_counts=True)
    common = kinds[(counts > COMMON * (trials or len(some))) & (len(kinds) > LEAST_OTHERS)]
    return np.isin(values, common)


def seen_before(symbol: Array, label: Array, split: int, earlier: Sequence[int]) -> Array:
    """(t,) frames of a split whose content is also in one of the earlier splits."""
    here = (label == split) & (symbol != NOTHING)
    there = np.isin(label, earlier) & (symbol != NOTHING)
    return np.asarray(here & np.isin(symbol, symbol[there]))


def _named_by_the_last(frames: Array, silent: Array, run_start: Array, memory: int) -> Array:
    """Symbols by the newest frame of the run that says something, if it is not longer ago than `memory`."""
    here = np.arange(len(frames))
    last = np.maximum.accumulate(np.where(silent, -1, here))
    known = (last >= run_start) & (here - last < memory)
    _, symbol = np.unique(frames, return_inverse=True)
    return np.where(known, symbol[np.maximum(last, 0)], NOTHING)
