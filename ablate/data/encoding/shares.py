"""What each split of a recording holds: windows that train, bins that are scored. An empty one is refused."""

from dataclasses import replace

import numpy as np
from jaxtyping import Bool, Int

from ablate.contract import Split
from ablate.data.encoding.config import EncodingDataConfig
from ablate.data.encoding.notices import own_split
from ablate.data.encoding.recurring.showings import shows_the_repeats
from ablate.data.encoding.split import TEST, TRAIN, UNUSED, VALIDATION, SessionSplit
from ablate.data.encoding.window import scored_bins, training_ends
from ablate.data.recording import Recording
from ablate.data.recording.array_file import pieces
from ablate.errors import AblateError

LABELS: dict[Split, int] = {"validation": VALIDATION, "test": TEST}

Recordings = tuple[Recording, ...]
Splits = tuple[SessionSplit, ...]


def refuse_an_empty_train(recordings: Recordings, splits: Splits, config: EncodingDataConfig) -> None:
    """Raises AblateError for a recording of which nothing trains."""
    for recording, split in zip(recordings, splits, strict=True):
        if not (split.label == TRAIN).any():
            raise _empty("train", recording, split, config)


def windows_that_train(
    recordings: Recordings, splits: Splits, config: EncodingDataConfig, lags: tuple[int, ...]
) -> tuple[Int[np.ndarray, " m"], ...]:
    """Newest frames of the windows, one array a recording. Raises AblateError where none fits."""
    found = []
    for recording, split in zip(recordings, splits, strict=True):
        ends = training_ends(split, window=config.window, lags=lags, fraction=config.fraction)
        if not len(ends):
            what = f"{recording.name}: no window of {config.window} frames fits into the training split"
            hint = "set a shorter `window`, fewer `split.blocks`, or a larger `fraction`"
            raise AblateError(what, where="data.split", hint=hint)
        found.append(ends)
    return tuple(found)


def bins_that_score(
    name: Split, recordings: Recordings, splits: Splits, config: EncodingDataConfig
) -> tuple[Int[np.ndarray, " n"], ...]:
    """Frames that a split scores, one array a recording. Raises AblateError where no unit counts in any of them."""
    every, history, phases = config.score_every, config.history, config.sweep_phases
    found = []
    for recording, split in zip(recordings, splits, strict=True):
        bins = scored_bins(split, LABELS[name], score_every=every, history=history, phases=phases)
        if not valid(recording, bins).any():
            raise _empty(name, recording, split, config)
        found.append(bins)
    return tuple(found)


def valid(recording: Recording, bins: Int[np.ndarray, " n"]) -> Bool[np.ndarray, "n u"]:
    """Which units count in which bins."""
    if recording.valid is None:
        return np.ones((len(bins), recording.units), bool)
    return np.asarray(recording.valid[bins], bool)


def without_the_repeats(splits: Splits, recordings: Recordings, config: EncodingDataConfig) -> Splits:
    """What `repeat_stimulus.npy` shows neither trains nor selects."""
    seen = shows_the_repeats(recordings, config.split, config.history)
    found = []
    for split, shown in zip(splits, seen, strict=True):
        taken = shown & np.isin(split.label, (TRAIN, VALIDATION))
        label = np.where(taken, UNUSED, split.label).astype(np.int8)
        found.append(replace(split, label=label, dropped=split.dropped + int(taken.sum())))
    return tuple(found)


def _empty(name: str, recording: Recording, split: SessionSplit, config: EncodingDataConfig) -> AblateError:
    """The error for a session in which nothing is left for a split."""
    what, hint = f"{recording.name}: the {name} split is empty", "set a larger share, fewer `split.blocks`, "
    hint += "a shorter `guard` (and `window`)"
    if config.split.kind == "file":
        what, hint = f"{what}: {own_split(recording)}", "`split: {kind: trials}`, or interleaved, splits it anew"
    if split.repeated or split.dropped:
        recurring = f"{split.repeated} of {recording.frames} frames repeat and {split.dropped} bins were left out"
        hint += f"; {recurring}: `split.repeats: ignore` lets repeats straddle splits"
    if recording.valid is not None:
        share = sum(int(part.sum()) for part in pieces(recording.valid)) / recording.valid.size
        hint += f"; valid.npy lets {100 * share:.0f} % of all bins and units count"
    return AblateError(what, where="data.split", hint=hint)
