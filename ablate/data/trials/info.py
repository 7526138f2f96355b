"""What is in a folder of trials and how it would be split: what a person looks at before a study."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from ablate.data.trials.check.walk import Checked, TrialFacts
from ablate.data.trials.layout.table import TrialRow, TrialTable
from ablate.data.trials.recorded import TrialsConfig

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class SubjectInfo:
    """One subject.

    labels: split -> label -> trials (or intervals, where each has one); of numbers split -> target -> how many.
    split_trials: its trials of train, validation and test. files: its EEG lies in. rates_hz: they were recorded at.
    spread_uv: median standard deviation of its channels. offset_s: least and most of t0_video_s less t0_eeg_s, where
    the folder has them. absent: intervals without any frame.
    """

    name: str
    trials: int
    labels: dict[str, dict[str, int]]
    files: int
    rates_hz: tuple[float, ...]
    bads: tuple[str, ...]
    split_trials: tuple[int, ...]
    spread_uv: float
    offset_s: tuple[float, float] | None
    absent: int


@dataclass(frozen=True)
class TargetInfo:
    """A number to learn. rated: how often. mean and sd: over all that is rated, as least and most."""

    name: str
    rated: int
    least: float
    most: float
    mean: float
    sd: float


@dataclass(frozen=True)
class TrialsInfo:
    """A folder without faults. frames: least, median and most of an interval, of the intervals that have any. slots: of
    an interval, pads included. without_video: trials that show nothing at all."""

    summary: str
    layout: str
    labels: tuple[str, ...]
    intervals: int
    interval_s: float
    channels: tuple[str, ...]
    rate_hz: float
    frame_shape: tuple[int, ...]
    slots: int
    frames: tuple[int, int, int]
    absent: int
    without_video: int
    subjects: tuple[SubjectInfo, ...]
    notices: tuple[str, ...]
    fingerprint: str
    targets: tuple[TargetInfo, ...] = ()


def trials_info(config: TrialsConfig) -> TrialsInfo:
    """Looks at every trial. Raises AblateError with every fault of the folder at once."""
    checked = config.checked()
    dataset = config.open(torch.device("cpu"))
    split_of = {trial: name for name in SPLITS for trial in dataset.splits[name].trial_ids}
    table = checked.table
    counts = np.concatenate([facts.mask.sum(axis=1) for facts in checked.facts])
    shown = counts[counts > 0]
    frames = (
        tuple(int(value) for value in np.quantile(shown, [0, 0.5, 1], method="nearest")) if len(shown) else (0,) * 3
    )
    return TrialsInfo(
        summary=config.summary(),
        layout=config.layout,
        labels=table.labels,
        intervals=table.intervals,
        interval_s=table.interval_s,
        channels=checked.signal.channels,
        rate_hz=checked.signal.rate_hz,
        frame_shape=table.frame_shape,
        slots=table.frames,
        frames=(frames[0], frames[1], frames[2]),
        absent=int((counts == 0).sum()),
        without_video=sum(not facts.mask.any() for facts in checked.facts),
        subjects=tuple(_subject(name, checked, split_of) for name in table.subjects),
        notices=dataset.notices,
        fingerprint=dataset.fingerprint,
        targets=tuple(_target(name, place, table) for place, name in enumerate(table.targets)),
    )


def _target(name: str, place: int, table: TrialTable) -> TargetInfo:
    values = np.array([own[place] for row in table.rows for own in row.values])
    values = values[np.isfinite(values)]
    figures = (float(figure) for figure in (values.min(), values.max(), values.mean(), values.std()))
    return TargetInfo(name, len(values), *figures)


def _labels(rows: Iterable[TrialRow], targets: Sequence[str]) -> Iterator[str]:
    """Every label; of every number the name of its target."""
    if targets:
        places = range(len(targets))
        return (targets[place] for row in rows for own in row.values for place in places if np.isfinite(own[place]))
    return (label for row in rows for label in row.own_labels if label)


def _subject(name: str, checked: Checked, split_of: dict[str, str]) -> SubjectInfo:
    own: Sequence[tuple[TrialRow, TrialFacts]] = [
        (row, facts) for row, facts in zip(checked.table.rows, checked.facts, strict=True) if row.subject == name
    ]
    rows = [row for row, _ in own]
    offsets = [row.offset_s for row in rows if row.offset_s is not None]
    held = {split: [row for row in rows if split_of.get(row.trial_id) == split] for split in SPLITS}
    targets = checked.table.targets
    labels = {split: dict(sorted(Counter(_labels(own_rows, targets)).items())) for split, own_rows in held.items()}
    return SubjectInfo(
        name=name,
        trials=len(rows),
        labels=labels,
        files=len({row.recording.name for row in rows}),
        rates_hz=tuple(sorted({row.recording.rate_hz for row in rows})),
        bads=tuple(sorted({bad for row, facts in own for bad in (*row.recording.bads, *facts.flat)})),
        split_trials=tuple(len(kept) for kept in held.values()),
        spread_uv=float(np.median([facts.spread_uv for _, facts in own])),
        offset_s=(min(offsets), max(offsets)) if offsets else None,
        absent=sum(facts.absent for _, facts in own),
    )
