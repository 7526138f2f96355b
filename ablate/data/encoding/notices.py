"""What is no fault of recordings, but should be known before their scores are believed: a sentence each."""

from collections.abc import Iterator, Sequence

import numpy as np

from ablate.data.encoding.config import EncodingDataConfig
from ablate.data.encoding.recurring.frame_facts import frame_hashes
from ablate.data.encoding.split import TEST, TRAIN, VALIDATION, SessionSplit
from ablate.data.recording import Recording
from ablate.data.recording.array_file import let_go

Array = np.ndarray

SPLITS = {"train": TRAIN, "validation": VALIDATION, "test": TEST}
SHOWN = 5  # names in a sentence; the rest is counted


def notices_of(
    recordings: Sequence[Recording],
    splits: Sequence[SessionSplit],
    left_out: Sequence[Array],
    config: EncodingDataConfig,
) -> tuple[str, ...]:
    """Of all sessions: what each is, equal units, and the share of the test split whose content train has."""
    told = [
        f"{recording.name}: {one}"
        for recording, split, silent in zip(recordings, splits, left_out, strict=True)
        for one in (*_of_recording(recording, config), *_of_split(split, silent, config))
    ]
    return (*told, *equal_units(recordings), content_in_train(splits))


def content_in_train(splits: Sequence[SessionSplit]) -> str:
    """Always said, also where it is nothing."""
    test = sum(int(np.count_nonzero(split.label == TEST)) for split in splits)
    seen = sum(split.in_train for split in splits)
    if not seen:
        return "no test frame shows content that is in train too"
    share = f"{100 * seen / max(1, test):.1f}".removesuffix(".0")
    return f"{share} % of the test frames show content that is in train too"


def _of_recording(recording: Recording, config: EncodingDataConfig) -> Iterator[str]:
    if recording.unread:
        yield f"not read: {named(recording.unread)}"
    if recording.told("not_used"):
        yield f"not used of its file: {named(recording.told('not_used'))}"
    if recording.trials is not None and config.split.kind not in ("trials", "file"):
        yield "trials.npy is not used: windows run on from trial to trial (`split.kind: trials` keeps them apart)"
    if recording.split is not None:
        used = "is used, as asked" if config.split.kind == "file" else "is not used (`split: {kind: file}` reads it)"
        yield f"{own_split(recording)} {used}"
    if is_constant(recording.stimulus):
        yield "the stimulus never changes"
    if recording.behavior is not None and config.behavior != "none":
        names = recording.behavior_names or tuple(f"column {index}" for index in range(recording.behaviors))
        known = (
            np.ones(recording.behavior.shape, bool) if recording.behavior_valid is None else recording.behavior_valid
        )
        columns = [column[there] for column, there in zip(recording.behavior.T, known.T, strict=True)]
        if absent := [name for name, column in zip(names, columns, strict=True) if not len(column)]:
            yield f"behaviour that was never measured: {named(absent)}"
        if still := [name for name, one in zip(names, columns, strict=True) if len(one) and np.ptp(one) == 0]:
            yield f"behaviour that never changes: {named(still)}"


def own_split(recording: Recording) -> str:
    """What the lab's, or the user's, own split is of, with its bins."""
    labels = np.asarray(recording.split)
    bins = {name: int(np.count_nonzero(labels == label)) for name, label in SPLITS.items()}
    told = ", ".join(f"{count} {name}" if count else f"no {name}" for name, count in bins.items())
    source = "the split by the tiers of its files" if "format" in recording.notes else "split.npy"
    return f"{source} ({told} bins)"


def _of_split(split: SessionSplit, silent: Array, config: EncodingDataConfig) -> Iterator[str]:
    if silent.any():
        few = f"fewer than {max(1, config.min_spikes)} spikes in train"
        yield f"{counted(np.flatnonzero(silent), 'unit')} with {few}, in no score: {named(np.flatnonzero(silent))}"
    if split.grouped:
        yield "pictures or clips recur: each is in one split, wherever it is shown; windows reach into its neighbours"


def equal_units(recordings: Sequence[Recording]) -> Iterator[str]:
    """Units that fire the same in every bin, in one session or in two."""
    met: dict[tuple[int, int], list[str]] = {}
    for recording in recordings:
        numbers = frame_hashes(np.ascontiguousarray(np.asarray(recording.spikes, np.float32).T)[:, :, None])
        fires = np.asarray(recording.spikes).any(0)
        for unit in np.flatnonzero(fires).tolist():
            name = f"{recording.name} {unit}" if len(recordings) > 1 else str(unit)
            met.setdefault((recording.frames, int(numbers[unit])), []).append(name)
    for names in met.values():
        if len(names) > 1:
            yield f"units that have the same spikes in every bin: {named(names)}"


def is_constant(stimulus: Array) -> bool:
    """Whether no pixel ever changes; looks no further than the first change."""
    step = max(1, (1 << 24) // max(1, stimulus[0].nbytes))
    pieces = (stimulus[start : start + step] for start in range(0, len(stimulus), step))
    found = all(bool((piece == stimulus[0]).all()) for piece in pieces)
    let_go(stimulus)
    return found


def counted(things: Sequence[object] | Array, word: str) -> str:
    return f"{len(things)} {word}{'s' * (len(things) != 1)}"


def named(things: Sequence[object] | Array) -> str:
    """The first few, and how many more."""
    more = f" and {len(things) - SHOWN} more" if len(things) > SHOWN else ""
    return ", ".join(str(one) for one in things[:SHOWN]) + more
