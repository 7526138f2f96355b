"""Which bins train, validate and test: blocks of time or whole trials, with a guard between, and no content in two
splits.

Stages: find what recurs over all sessions; plan blocks over the first showings; give every showing its first
showing's split; keep a guard wherever the split changes. Where what recurs is shown too shortly for that (pictures,
clips), whole contents are dealt to the splits instead. Last, leave out the bins of validation and test whose content
was met, by chance, in an earlier split.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from jaxtyping import Bool, Int, Int8

from ablate.data.encoding.config import SplitConfig
from ablate.data.encoding.recurring.content import Content, content_of, seen_before
from ablate.data.encoding.recurring.frame_facts import frame_facts
from ablate.data.encoding.recurring.repeats import CHANCE_SHARE, Recurrence, find_recurrence, no_recurrence
from ablate.data.encoding.recurring.showings import same_answers
from ablate.data.encoding.split.blocks import TEST, TRAIN, UNUSED, VALIDATION, keep_guards, plan_blocks
from ablate.data.encoding.split.groups import label_groups
from ablate.data.encoding.split.whole_trials import given_labels, label_trials, run_starts, trials_of
from ablate.data.recording import Recording
from ablate.errors import AblateError

Array = np.ndarray

EARLIER = {VALIDATION: (TRAIN,), TEST: (TRAIN, VALIDATION)}


@dataclass(frozen=True)
class SessionSplit:
    """label: (t,) TRAIN, VALIDATION, TEST or UNUSED. run_start: (t,) first frame of the unbroken run of each frame.
    repeated: frames whose content was shown before. dropped: bins of validation and test left out for having been met
    by chance in another split. in_train: test frames whose content is in train all the same (`repeats: ignore`).
    grouped: whole contents were dealt to the splits, not blocks of time. answer: (t,) equal for frames that end the
    same stretch of content, -1 where nothing is known to come again: repeats of one stimulus."""

    label: Array
    run_start: Array
    repeated: int
    dropped: int
    in_train: int = 0
    grouped: bool = False
    answer: Array = field(default_factory=lambda: np.zeros(0, np.int64))


def split_sessions(recordings: Sequence[Recording], config: SplitConfig, guard: int) -> tuple[SessionSplit, ...]:
    """The split of all sessions together: a movie shown in two of them is in one split only."""
    offsets = np.concatenate([[0], np.cumsum([one.frames for one in recordings])]).astype(np.int64)
    trials = [trials_of(recording, config) for recording in recordings]
    run_start = np.concatenate([run_starts(ids) + offset for ids, offset in zip(trials, offsets, strict=False)])
    facts = [frame_facts(recording.stimulus) for recording in recordings]
    frames = np.concatenate([one.number for one in facts])
    found = find_recurrence(frames, run_start, config.repeat_frames)
    content = content_of(facts, run_start, longest=config.repeat_frames, memory=guard)
    separate = config.repeats == "separate"
    recurrence = found if separate else no_recurrence(len(frames))
    grouped = False
    if config.kind == "file":
        label = given_labels(recordings, trials, guard)
    elif config.kind == "trials":
        label = label_trials(trials, run_start, frames, recurrence, content, config)
    else:
        label = _label_blocks(offsets, recurrence, config, guard)
        grouped = _needs_groups(label, content)
        if grouped and separate:
            label = label_groups(content, offsets, [one.bin_rate_hz for one in recordings], config, guard)
    again = found.canonical != np.arange(len(frames))
    if grouped or config.kind == "trials":  # else what little recurs is left out, and is no repeat
        again |= _shown_before(content, run_start, guard)
    kept = _without_seen(label, found, content) if separate else label
    in_train = _seen(kept, found, content, TEST, (TRAIN,))
    answer = same_answers(found.canonical, content, run_start, history=guard)
    return tuple(
        SessionSplit(
            label=kept[begin:end],
            run_start=run_start[begin:end] - begin,
            repeated=int(again[begin:end].sum()),
            dropped=int(np.count_nonzero(kept[begin:end] != label[begin:end])),
            in_train=int(in_train[begin:end].sum()),
            grouped=grouped and separate,
            answer=answer[begin:end],
        )
        for begin, end in pairwise(offsets.tolist())
    )


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
        keep_guards(label[begin:end], guard)
    return label


# ------------------------------------------------------------------ content in two splits


def _needs_groups(label: Int8[np.ndarray, " t"], content: Content) -> bool:
    """Whether blocks of time leave more than chance of a split's content in an earlier split, or no split at all."""
    for split, earlier in EARLIER.items():
        seen = np.count_nonzero(seen_before(content.symbol, label, split, earlier))
        if seen > CHANCE_SHARE * np.count_nonzero(label == split):
            return True
    recurs = len(np.unique(content.symbol)) < len(content.symbol)
    return content.length > 0 and recurs and not all((label == split).any() for split in (TRAIN, VALIDATION, TEST))


def _seen(
    label: Int8[np.ndarray, " t"], found: Recurrence, content: Content, split: int, earlier: Sequence[int]
) -> Bool[np.ndarray, " t"]:
    """Frames of a split whose content is in one of the earlier ones: a picture, a short or a long stretch."""
    seen = seen_before(found.stretch, label, split, earlier)
    return np.asarray(seen | seen_before(content.symbol, label, split, earlier))


def _without_seen(label: Int8[np.ndarray, " t"], found: Recurrence, content: Content) -> Int8[np.ndarray, " t"]:
    """Leaves out bins of validation met in train, and of test met in train or validation."""
    kept = label.copy()
    for split, earlier in EARLIER.items():
        kept[_seen(label, found, content, split, earlier)] = UNUSED
    return kept


def _shown_before(content: Content, run_start: Int[np.ndarray, " t"], guard: int) -> Bool[np.ndarray, " t"]:
    """Frames of a later showing. What comes back within a guard (an eye that drifts to and fro) is one showing."""
    order = np.argsort(content.symbol, kind="stable")
    same = content.symbol[order][1:] == content.symbol[order][:-1]
    apart = (np.diff(order) > guard) | (np.diff(run_start[order]) != 0)
    new = np.concatenate([[True], ~same | apart])  # the first frame of a showing
    later = new & np.concatenate([[False], same])
    begun = np.maximum.accumulate(np.where(new, np.arange(len(order)), 0))
    again = np.zeros(len(order), bool)
    again[order] = later[begun] & (content.symbol[order] >= 0)
    return again
