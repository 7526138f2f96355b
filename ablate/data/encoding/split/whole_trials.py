"""Whole trials to splits; trials that share content go together."""

from collections.abc import Sequence

import numpy as np
from jaxtyping import Int, Int8

from ablate.data.encoding.config import SplitConfig
from ablate.data.encoding.recurring.content import NOTHING, Content, is_common
from ablate.data.encoding.recurring.frame_facts import mixed
from ablate.data.encoding.recurring.repeats import Recurrence
from ablate.data.encoding.split.blocks import UNUSED, keep_guards
from ablate.data.encoding.split.groups import deal
from ablate.data.encoding.split.linked import linked_groups
from ablate.data.recording import Recording
from ablate.errors import AblateError

Array = np.ndarray


def trials_of(recording: Recording, config: SplitConfig) -> Int[np.ndarray, " t"]:
    """Trial of each frame; one endless trial where trials do not matter."""
    if config.kind == "file" and recording.split is not None and _of_whole_trials(recording):
        return np.asarray(recording.trials, np.int64)
    if config.kind != "trials":
        return np.zeros(recording.frames, np.int64)
    if recording.trials is None:
        hint = "write trials.npy (t,) with -1 for none, or set `split.kind: interleaved`"
        raise AblateError(f"{recording.name} has no trials.npy to split by", where="data.split.kind", hint=hint)
    return np.asarray(recording.trials, np.int64)


def given_labels(
    recordings: Sequence[Recording], trials: Sequence[Int[np.ndarray, " t"]], guard: int
) -> Int8[np.ndarray, " t"]:
    """Those of split.npy, all sessions after one another. Where it cuts through time, not between trials, guards are
    kept. Raises AblateError for a recording without it."""
    found = []
    for recording, ids in zip(recordings, trials, strict=True):
        if recording.split is None:
            hint = "write split.npy: 0 train, 1 validation, 2 test, -1 none, one a bin or a trial"
            raise AblateError(f"{recording.name} has no split.npy", where="data.split.kind", hint=hint)
        label = np.asarray(recording.split, np.int8).copy()
        if not ids.any() and guard > 1:  # a window of one frame reaches into no other split
            keep_guards(label, guard)
        found.append(label)
    return np.concatenate(found)


def _of_whole_trials(recording: Recording) -> bool:
    """Whether no trial is in two splits."""
    if recording.trials is None or recording.split is None or not (recording.trials > 0).any():
        return False
    inside = np.asarray(recording.trials >= 0)
    pairs = np.unique(np.stack([recording.trials[inside], recording.split[inside]]), axis=1)
    return pairs.shape[1] == len(np.unique(recording.trials[inside]))


def run_starts(trials: Int[np.ndarray, " t"]) -> Int[np.ndarray, " t"]:
    """First frame of the unbroken run of each frame."""
    starts = np.flatnonzero(np.concatenate([[True], trials[1:] != trials[:-1]]))
    return np.repeat(starts, np.diff(np.append(starts, len(trials))))


def label_trials(
    trials: list[Int[np.ndarray, " _"]],
    run_start: Int[np.ndarray, " t"],
    frames: Array,
    recurrence: Recurrence,
    content: Content,
    config: SplitConfig,
) -> Int8[np.ndarray, " t"]:
    """The split of each frame. Linked are trials with a long stretch in common, with a picture or short stretch in
    common, and trials that are equal from first to last frame, however little these hold. Splits fill up evenly over
    the recording."""
    numbered = [np.where(ids >= 0, np.unique(ids, return_inverse=True)[1], -1) for ids in trials]  # ids may be dates
    keys = np.concatenate([np.where(ids >= 0, ids * len(trials) + index, -1) for index, ids in enumerate(numbered)])
    if not (keys >= 0).any():
        raise AblateError("trials.npy marks no bin as part of a trial", where="data.split.kind")
    _, trial = np.unique(keys, return_inverse=True)
    count = int(trial.max()) + 1
    source, target = [trial], [trial[recurrence.canonical]]
    if config.repeats == "separate":
        first = _first_trial(np.where(keys >= 0, content.symbol, NOTHING), trial)
        source += [trial[first >= 0], trial]
        target += [first[first >= 0], trial[_first_equal_run(frames, run_start)]]
    component = linked_groups(np.concatenate(source), np.concatenate(target), count)
    label = np.full(len(keys), UNUSED, np.int8)
    label[keys >= 0] = deal(component[trial[keys >= 0]], config)
    return label


def _first_trial(symbol: Int[np.ndarray, " t"], trial: Int[np.ndarray, " t"]) -> Int[np.ndarray, " t"]:
    """The first trial that has each frame's content; -1 for `NOTHING`, and for what most trials have, such as a cue,
    unless it fills the trial: a clip that is shown in every second trial."""
    _, once = np.unique(np.stack([symbol, trial]), axis=1, return_index=True)  # one place a content and trial
    once = once[symbol[once] != NOTHING]
    common = is_common(symbol, once, trials=len(np.unique(trial[once])))
    filled = np.bincount(trial, weights=common) > 0.5 * np.bincount(trial)
    tells = (symbol != NOTHING) & (~common | filled[trial])
    _, place, inverse = np.unique(symbol[tells], return_index=True, return_inverse=True)
    first = np.full(len(symbol), -1)
    first[tells] = trial[tells][place][inverse]
    return first


def _first_equal_run(frames: Array, run_start: Int[np.ndarray, " t"]) -> Int[np.ndarray, " t"]:
    """First frame of the first run that is equal to each frame's own."""
    starts = np.flatnonzero(run_start == np.arange(len(frames)))
    lengths = np.diff(np.append(starts, len(frames)))
    place = np.arange(len(frames)) - run_start
    sums = np.add.reduceat(frames * (mixed(place.astype(np.uint64) + np.uint64(1)) | np.uint64(1)), starts)
    _, first, inverse = np.unique(mixed(sums + lengths.astype(np.uint64)), return_index=True, return_inverse=True)
    return np.repeat(starts[first][inverse], lengths)
