"""Stretches of the stimulus that recur, found by hash, so that a model is never tested on what it was trained on.

A frame is one number (`frame_facts`); a stretch of `length` frames is the polynomial sum_j f(t-j) B^j mod 2^64, for
all frames at once. Two kinds of recurrence are told apart. A *repeat* is a run of at least `length` recurring
stretches (a movie shown again, an m-sequence's next period): its frames are mapped to their first showing, so that a
split of the first showings splits all. A *chance* recurrence is shorter (coin flips of a full-field flicker):
nothing is mapped, the bin is merely not scored. Where chance recurrences abound, the stretch is too short to tell
anything, and is doubled. Stretches that never change are not counted: a blank screen says nothing of what follows it.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int, UInt64

from ablate.data.encoding.recurring.frame_facts import mixed

Array = np.ndarray

BASE = 0x9E3779B97F4A7C15 | 1  # odd, so that it has an inverse mod 2^64 and a rolling sum can be shifted back
CHANCE_SHARE = 0.05  # of all frames: more chance recurrences than this mean that the stretch is too short
LONGEST_STRETCH = 1024  # frames: about 10 s; what recurs by chance over so long is a periodic stimulus


@dataclass(frozen=True)
class Recurrence:
    """canonical: (t,) first showing of each frame (itself where new). stretch: (t,) hash group of the stretch that
    ends at each frame, -1 where it does not count. length: frames of a stretch. repeated: frames that are repeats."""

    canonical: Array
    stretch: Array
    length: int

    @property
    def repeated(self) -> int:
        return int(np.count_nonzero(self.canonical != np.arange(len(self.canonical))))


def find_recurrence(frames: UInt64[np.ndarray, " t"], run_start: Int[np.ndarray, " t"], length: int) -> Recurrence:
    """What recurs. run_start: first frame of the unbroken run (session, trial) that each frame belongs to."""
    while True:
        stretch, first = stretches(frames, run_start, length)
        matched = (stretch >= 0) & (first < np.arange(len(frames)))
        starts, ends = _equal_offset_runs(matched, np.arange(len(frames)) - first)
        long = ends - starts >= length
        chance = int((ends - starts)[~long].sum())
        if chance <= CHANCE_SHARE * len(frames) or length >= LONGEST_STRETCH:
            break
        length *= 2
    canonical = np.arange(len(frames))
    for start, end in zip(starts[long], ends[long], strict=True):
        begin = start - length + 1  # the first stretch of the run began here
        canonical[begin:end] = np.arange(begin, end) - (start - first[start])
    return Recurrence(_followed(canonical), stretch, length)


def no_recurrence(frames: int) -> Recurrence:
    """Nothing recurs, or nobody asked."""
    return Recurrence(np.arange(frames), np.full(frames, -1), 0)


def stretches(
    frames: UInt64[np.ndarray, " t"], run_start: Int[np.ndarray, " t"], length: int
) -> tuple[Int[np.ndarray, " t"], Int[np.ndarray, " t"]]:
    """Group of the stretch that ends at each frame (-1: does not count), and where that stretch first ended."""
    count = len(frames)
    group, first = np.full(count, -1), np.arange(count)
    if count < length:
        return group, first
    whole = np.arange(count) - run_start >= length - 1
    changes = np.concatenate([[0], np.cumsum(frames[1:] != frames[:-1])])
    changing = np.zeros(count, bool)
    changing[length - 1 :] = changes[length - 1 :] > changes[: count - length + 1]
    counts = np.flatnonzero(whole & changing)
    if len(counts):
        sums = _rolling_sums(frames, length)[counts]
        _, index, inverse = np.unique(sums, return_index=True, return_inverse=True)
        group[counts] = inverse
        first[counts] = counts[index][inverse]
    return group, first


def _rolling_sums(frames: UInt64[np.ndarray, " t"], length: int) -> UInt64[np.ndarray, " t"]:
    """sum_{j<length} f(t-j) B^j mod 2^64, for every t (the first length-1 are of shorter stretches)."""
    count = len(frames)
    shrinking = _powers(pow(BASE, -1, 1 << 64), count)
    total = np.cumsum(frames * shrinking, dtype=np.uint64)
    before = np.concatenate([np.zeros(length, np.uint64), total[: count - length]])
    return mixed((total - before) * _powers(BASE, count))


def _powers(base: int, count: int) -> UInt64[np.ndarray, " t"]:
    """1, base, base^2, ... mod 2^64."""
    factors = np.full(count, base, np.uint64)
    factors[0] = 1
    return np.cumprod(factors, dtype=np.uint64)


def _equal_offset_runs(
    matched: Bool[np.ndarray, " t"], offset: Int[np.ndarray, " t"]
) -> tuple[Int[np.ndarray, " r"], Int[np.ndarray, " r"]]:
    """Starts and ends of the runs of frames that recur at the same distance."""
    joined = matched[1:] & matched[:-1] & (offset[1:] == offset[:-1])
    starts = np.flatnonzero(matched & ~np.concatenate([[False], joined]))
    ends = np.flatnonzero(matched & ~np.concatenate([joined, [False]])) + 1
    return starts, ends


def _followed(canonical: Int[np.ndarray, " t"]) -> Int[np.ndarray, " t"]:
    """A first showing may itself turn out to be a repeat: follow to the end. It points back only, so this ends."""
    while True:
        further = canonical[canonical]
        if np.array_equal(further, canonical):
            return canonical
        canonical = further
