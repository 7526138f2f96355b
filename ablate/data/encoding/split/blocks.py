"""Blocks of time: a stretch cut into rounds of train, validation and test, with a guard between.

Here because blocks of time, whole trials and groups of content all build on it.
"""

import numpy as np
from jaxtyping import Int8

from ablate.data.encoding.config import SplitConfig

UNUSED, TRAIN, VALIDATION, TEST = -1, 0, 1, 2


def shares_of(config: SplitConfig) -> dict[int, float]:
    """Share of the usable frames of each split."""
    return {TRAIN: 1 - config.validation - config.test, VALIDATION: config.validation, TEST: config.test}


def plan_blocks(frames: int, config: SplitConfig, guard: int) -> Int8[np.ndarray, " t"] | None:
    """Labels of an unbroken stretch: rounds of train, validation, test, every second one mirrored, guards between.

    Shares are of the frames that remain when the guards are taken off. None where nothing remains.
    """
    shares = shares_of(config)
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


def keep_guards(label: Int8[np.ndarray, " t"], guard: int) -> None:
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
