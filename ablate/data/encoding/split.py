"""Which bins train, validate and test: blocks of time or whole trials, with a guard between, and no stretch in two
splits.

Stages: find what recurs over all sessions; plan blocks over the first showings; give every showing its first
showing's split; keep a guard wherever the split changes; leave out the bins of validation and test whose stretch was
met, by chance, in an earlier split.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from jaxtyping import Int, Int8
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from ablate.data.encoding.config import SplitConfig
from ablate.data.encoding.repeats import Recurrence, find_recurrence, frame_hashes, no_recurrence
from ablate.data.recording import Recording
from ablate.errors import AblateError

Array = np.ndarray

UNUSED, TRAIN, VALIDATION, TEST = -1, 0, 1, 2


@dataclass(frozen=True)
class SessionSplit:
    """label: (t,) TRAIN, VALIDATION, TEST or UNUSED. run_start: (t,) first frame of the unbroken run of each frame.
    repeated: frames shown before. dropped: bins of validation and test left out for having been met by chance in
    another split."""

    label: Array
    run_start: Array
    repeated: int
    dropped: int


def split_sessions(recordings: Sequence[Recording], config: SplitConfig, guard: int) -> tuple[SessionSplit, ...]:
    """The split of all sessions together: a movie shown in two of them is in one split only."""
    lengths = [recording.frames for recording in recordings]
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    trials = [_trials_of(recording, config) for recording in recordings]
    run_start = np.concatenate([_run_starts(ids) + offset for ids, offset in zip(trials, offsets, strict=False)])
    recurrence = _recurrence(recordings, run_start, config)
    if config.kind == "trials":
        label = _label_trials(trials, recurrence, config)
    else:
        label = _label_blocks(offsets, recurrence, config, guard)
    kept = _without_chance(label, recurrence)
    parts = []
    for begin, end in pairwise(offsets.tolist()):
        here = slice(begin, end)
        repeated = int(np.count_nonzero(recurrence.canonical[here] != np.arange(begin, end)))
        dropped = int(np.count_nonzero(kept[here] != label[here]))
        parts.append(SessionSplit(kept[here], run_start[here] - begin, repeated, dropped))
    return tuple(parts)


def _recurrence(recordings: Sequence[Recording], run_start: Int[np.ndarray, " t"], config: SplitConfig) -> Recurrence:
    if config.repeats == "ignore":
        return no_recurrence(len(run_start))
    frames = np.concatenate([frame_hashes(recording.stimulus) for recording in recordings])
    return find_recurrence(frames, run_start, config.repeat_frames)


# ------------------------------------------------------------------ blocks of time


def _label_blocks(
    offsets: Int[np.ndarray, " s"], recurrence: Recurrence, config: SplitConfig, guard: int
) -> Int8[np.ndarray, " t"]:
    """Blocks are planned over first showings only, then every showing follows its first."""
    canonical = recurrence.canonical
    label = np.full(len(canonical), UNUSED, np.int8)
    for begin, end in pairwise(offsets.tolist()):
        new = begin + np.flatnonzero(canonical[begin:end] == np.arange(begin, end))
        planned = plan_blocks(len(new), config, guard)
        if planned is not None:
            label[new] = planned
        elif len(new) == end - begin:
            raise AblateError(
                f"{len(new)} frames are too few for {config.blocks} rounds with guards of {guard} frames",
                where="data.split",
                hint="set fewer `split.blocks`, `split.kind: tail`, or a shorter `guard` (and `window`)",
            )
    label = label[canonical]
    for begin, end in pairwise(offsets.tolist()):
        _keep_guards(label[begin:end], guard)
    return label


def plan_blocks(frames: int, config: SplitConfig, guard: int) -> Int8[np.ndarray, " t"] | None:
    """Labels of an unbroken stretch: rounds of train, validation, test, every second one mirrored, guards between.

    Shares are of the frames that remain when the guards are taken off. None where nothing remains.
    """
    shares = {TRAIN: 1 - config.validation - config.test, VALIDATION: config.validation, TEST: config.test}
    rounds = 1 if config.kind == "tail" else config.blocks
    blocks: list[tuple[int, float]] = []
    for index in range(rounds):
        for split in list(shares)[:: 1 if index % 2 == 0 else -1]:
            if blocks and blocks[-1][0] == split:
                blocks[-1] = (split, blocks[-1][1] + shares[split])
            else:
                blocks.append((split, shares[split]))
    usable = frames - guard * (len(blocks) - 1)
    if usable < len(blocks):
        return None
    ends = np.round(np.cumsum([share for _, share in blocks]) / rounds * usable).astype(int)
    label = np.full(frames, UNUSED, np.int8)
    begin = 0
    for index, ((split, _), end) in enumerate(zip(blocks, ends, strict=True)):
        label[begin + index * guard : end + index * guard] = split
        begin = end
    return label


def _keep_guards(label: Int8[np.ndarray, " t"], guard: int) -> None:
    """Takes, in place, the first bins of a run that begins within a guard of another split (the seams between
    showings)."""
    changes = np.flatnonzero(np.diff(label)) + 1
    starts, ends = np.concatenate([[0], changes]), np.concatenate([changes, [len(label)]])
    last_split, last_end = UNUSED, 0
    for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
        split = int(label[start])
        if split == UNUSED:
            continue
        if last_split not in (UNUSED, split):
            begin = min(max(start, last_end + guard), end)
            label[start:begin] = UNUSED
            if begin == end:
                continue
        last_split, last_end = split, end


# ------------------------------------------------------------------ whole trials


def _trials_of(recording: Recording, config: SplitConfig) -> Int[np.ndarray, " t"]:
    """Trial of each frame; one endless trial where trials do not matter."""
    if config.kind != "trials":
        return np.zeros(recording.frames, np.int64)
    if recording.trials is None:
        hint = "write trials.npy (t,) with -1 for none, or set `split.kind: interleaved`"
        raise AblateError(f"{recording.name} has no trials.npy to split by", where="data.split.kind", hint=hint)
    return np.asarray(recording.trials, np.int64)


def _run_starts(trials: Int[np.ndarray, " t"]) -> Int[np.ndarray, " t"]:
    """First frame of the unbroken run of each frame."""
    starts = np.flatnonzero(np.concatenate([[True], trials[1:] != trials[:-1]]))
    return np.repeat(starts, np.diff(np.append(starts, len(trials))))


def _label_trials(
    trials: list[Int[np.ndarray, " t"]], recurrence: Recurrence, config: SplitConfig
) -> Int8[np.ndarray, " t"]:
    """Whole trials; trials that share a repeated stretch go together. Splits fill up evenly over the recording."""
    keys = np.concatenate([np.where(ids >= 0, ids * len(trials) + index, -1) for index, ids in enumerate(trials)])
    _, trial = np.unique(keys, return_inverse=True)
    count = int(trial.max()) + 1
    links = coo_array((np.ones(len(trial), bool), (trial, trial[recurrence.canonical])), shape=(count, count))
    _, component = connected_components(links, directed=False)
    group = np.where(keys >= 0, component[trial], -1)
    used = group[group >= 0]
    if not len(used):
        raise AblateError("trials.npy marks no bin as part of a trial", where="data.split.kind")
    names, first, sizes = np.unique(used, return_index=True, return_counts=True)
    split_of = np.full(count, UNUSED, np.int8)
    shares = np.array([1 - config.validation - config.test, config.validation, config.test])
    filled, seen = np.zeros(3), 0
    for index in np.argsort(first):
        seen += int(sizes[index])
        split = int(np.argmax(np.round(shares * seen - filled, 6)))  # the split furthest behind its share
        filled[split] += sizes[index]
        split_of[names[index]] = split
    return np.where(group >= 0, split_of[group], UNUSED).astype(np.int8)


# ------------------------------------------------------------------ chance


def _without_chance(label: Int8[np.ndarray, " t"], recurrence: Recurrence) -> Int8[np.ndarray, " t"]:
    """Leaves out bins of validation met in train, and of test met in train or validation."""
    kept = label.copy()
    stretch = recurrence.stretch
    met = np.zeros(int(stretch.max(initial=-1)) + 1, bool)
    for split in (TRAIN, VALIDATION, TEST):
        bins = np.flatnonzero((label == split) & (stretch >= 0))
        if split != TRAIN:
            kept[bins[met[stretch[bins]]]] = UNUSED
        met[stretch[bins]] = True
    return kept
