"""Recurring content that is shown too shortly for guards (flashed pictures, clips): whole contents go to one split.

Contents that always follow each other (the frames of a clip) are one group; groups are dealt to the splits in the order
in which they are first shown. Windows of one split reach into its neighbours then: what is kept apart is what a bin
answers to, so the first bins after a change of split, which still answer to the showing before, are not used. Frames
that are shown once are cut into blocks of time, as ever.
"""

import math
from itertools import pairwise

import numpy as np
from jaxtyping import Bool, Int, Int8

from ablate.data.encoding.config import SplitConfig
from ablate.data.encoding.recurring.content import NOTHING, Content
from ablate.data.encoding.recurring.frame_facts import holds_of
from ablate.data.encoding.split.blocks import TRAIN, UNUSED, keep_guards, plan_blocks, shares_of
from ablate.data.encoding.split.linked import linked_groups

ALWAYS = 0.9  # share of a picture's showings that are followed by the same one: a clip may be cut off now and then
MEMORY_SECONDS = 0.1  # responses to a picture last about so long after it
OF_A_SHOWING = 3  # and no more than a third of a showing is given up for that


def label_groups(
    content: Content, offsets: Int[np.ndarray, " s"], rates_hz: list[float], config: SplitConfig, guard: int
) -> Int8[np.ndarray, " t"]:
    """The split of each frame, all sessions together. offsets: first frame of each session, and the end."""
    session_start = np.repeat(offsets[:-1], np.diff(offsets))
    group = _groups(content.symbol, session_start)
    label = np.full(len(group), UNUSED, np.int8)
    free = _free_runs(group, session_start, content.length)
    for begin, end in pairwise(offsets.tolist()):
        alone = begin + np.flatnonzero(free[begin:end] != NOTHING)
        planned = plan_blocks(len(alone), config, guard)
        if planned is not None:
            label[alone], free[alone] = planned, NOTHING
    group = np.where(free != NOTHING, free + group.max(initial=0) + 1, group)
    dealt = group != NOTHING
    label[dealt] = deal(group[dealt], config)
    for (begin, end), rate in zip(pairwise(offsets.tolist()), rates_hz, strict=True):
        shown = np.diff(np.append(holds_of(group[begin:end], np.zeros(end - begin, np.int64)), end - begin))
        after = min(guard, math.ceil(MEMORY_SECONDS * rate), int(np.median(shown)) // OF_A_SHOWING)
        keep_guards(label[begin:end], after)
    return label


def deal(group: Int[np.ndarray, " n"], config: SplitConfig) -> Int8[np.ndarray, " n"]:
    """The split of each frame by its group: groups in the order in which they come, each to the split that is furthest
    behind its share. Every split has one, where there are three."""
    _, first, inverse, sizes = np.unique(group, return_index=True, return_inverse=True, return_counts=True)
    split_of = np.full(len(sizes), UNUSED, np.int8)
    shares = np.array(list(shares_of(config).values()))
    filled, seen = np.zeros(len(shares)), 0
    order = np.argsort(first)
    for index in order:
        seen += int(sizes[index])
        split = int(np.argmax(np.round(shares * seen - filled, 6)))
        filled[split] += sizes[index]
        split_of[index] = split
    for empty in np.flatnonzero(filled == 0):
        spare = [index for index in order if split_of[index] == TRAIN]
        if len(spare) > 1:
            split_of[spare[-1]] = empty
    return np.asarray(split_of[inverse], np.int8)


def _groups(symbol: Int[np.ndarray, " t"], session_start: Int[np.ndarray, " t"]) -> Int[np.ndarray, " t"]:
    """Group of each frame, `NOTHING` for what is shown once."""
    showings = holds_of(symbol, session_start)
    shown = symbol[showings]
    count = int(symbol.max(initial=-1)) + 1
    times = np.bincount(shown[shown != NOTHING], minlength=count)
    component = linked_groups(*_followers(shown, session_start[showings], count), count)
    pictures = np.median(np.diff(np.append(showings, len(symbol)))) > 1
    if pictures and len(np.unique(component[times > 1])) < len(("train", "validation", "test")):
        component = np.arange(count, dtype=component.dtype)  # pictures in one fixed order: each is a group
    known = (symbol != NOTHING) & (times > 1)[symbol]
    return np.where(known, component[symbol], NOTHING)


def _followers(
    shown: Int[np.ndarray, " n"], session: Int[np.ndarray, " n"], count: int
) -> tuple[Int[np.ndarray, " p"], Int[np.ndarray, " p"]]:
    """Contents, and for each the one that always follows it."""
    here, after = shown[:-1], shown[1:]
    both = (here != NOTHING) & (after != NOTHING) & (session[:-1] == session[1:])
    pairs, seen = np.unique(here[both] * count + after[both], return_counts=True)
    source, target = np.divmod(pairs, max(1, count))
    of_all = np.bincount(here[both], minlength=count)[source]
    always: Bool[np.ndarray, " p"] = (seen > 1) & (seen >= ALWAYS * of_all)
    return source[always], target[always]


def _free_runs(group: Int[np.ndarray, " t"], session_start: Int[np.ndarray, " t"], least: int) -> Int[np.ndarray, " t"]:
    """Number of the unbroken run of frames that are in no group; `NOTHING` in groups, and in runs of fewer than `least`
    frames, which lie between two showings and are of neither."""
    starts = holds_of((group == NOTHING).astype(np.int64), session_start)
    lengths = np.diff(np.append(starts, len(group)))
    number = np.where((group[starts] == NOTHING) & (lengths >= least), np.arange(len(starts)), NOTHING)
    return np.repeat(number, lengths)
