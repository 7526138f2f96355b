"""The EAV data set (Lee et al. 2024, Scientific Data 11).

    subjectN/EEG/subjectN_eeg.mat        `seg1` or `seg`, (10000, 30, 200) = time, channel, trial: 20 s at 500 Hz
    subjectN/EEG/subjectN_eeg_label.mat  `label`, (10, 200) one-hot: five emotions, listening and speaking
    subjectN/Video/001_Trial_01_Listening_Neutral.mp4, ...    the number is the trial's, from 1; needs the extra [video]

Frame features beside the EEG, `subjectN_features.npz` (features (200, i, f, d), frame_mask (200, i, f)), stand in for
the films. A trial without film has no frames.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ablate.data.trials.layout.frames.arrays import as_mask, read_array
from ablate.data.trials.layout.frames.film import FilmStyle, Stretch, read_frames, read_mask, slot_keys
from ablate.data.trials.layout.frames.stored import clean, frame_shape
from ablate.data.trials.layout.table import EegFile, Frames, TrialRow, TrialTable, hash_of, no_frames, whole_intervals
from ablate.disk.stamp import Look, look_of
from ablate.errors import AblateError, Problem

RATE_HZ, CHANNELS = 500.0, 30
NAMES = tuple(f"channel_{index:02d}" for index in range(CHANNELS))
NO_FEATURES = 1  # width of the frames where no features are there


def read_folder(folder: Path, interval_s: float, style: FilmStyle) -> TrialTable:
    """All subjects below the folder. Raises AblateError where there are none."""
    files = {
        match[1]: path
        for path in sorted(folder.rglob("*_eeg.mat"))
        if (match := re.fullmatch(r"subject(\d+)_eeg", path.stem))
    }
    if not files:
        raise AblateError("there is no subjectN_eeg.mat", where=str(folder), hint="give the folder of EAV's subjects")
    subjects, problems = [], list[Problem]()
    for number in sorted(files, key=int):
        try:
            subjects.append(_subject(files[number], number))
        except AblateError as error:
            problems += error.problems
    samples = subjects[0].samples if subjects else 0
    intervals = whole_intervals(samples / RATE_HZ, interval_s) if samples else 1
    if intervals is None:
        what = f"trials of {samples / RATE_HZ:g} s are no whole number of intervals of {interval_s:g} s"
        problems.append(Problem(what, "data.interval_s", "EAV's trials have 20 s: 2, 4, 5 or 10"))
    shape = shape_of_frames(subjects, intervals or 1, style)
    rows = [_row(subject, index, shape, interval_s, style) for subject in subjects for index in range(subject.trials)]
    seen = (3, *shape[2:4]) if len(shape) == 5 else shape[2:]
    read = [path for one in subjects for path in (one.file, one.label_file, one.feature_file, *one.films.values())]
    there = tuple(path for path in read if path.is_file())
    return TrialTable(str(folder), tuple(rows), interval_s, shape[0], shape[1], seen, there, tuple(problems))


@dataclass(frozen=True)
class Subject:
    """One subject's files. labels: class index of each trial. films: by the number of their trial, from 1. features:
    shape of the frames beside the EEG (i, f, d), if there are any."""

    file: Path
    name: str
    samples: int
    labels: tuple[int, ...]
    films: dict[int, Path]
    features: tuple[int, ...] | None

    @property
    def trials(self) -> int:
        return len(self.labels)

    @property
    def label_file(self) -> Path:
        return self.file.with_name(f"{self.file.stem}_label.mat")

    @property
    def feature_file(self) -> Path:
        return feature_file(self.file)


def _subject(file: Path, number: str) -> Subject:
    """What the headers say. Raises AblateError for files of another shape, and for labels that are none."""
    samples, trials = _eeg(file).shape[0], _eeg(file).shape[2]
    labels = _labels(file, trials)
    features = _features(file)
    shape = None
    if features is not None:
        stored, mask = features["features"], features["frame_mask"]
        if stored.ndim != 4 or len(stored) != trials or mask.shape != stored.shape[:3]:
            what = f"features of shape {stored.shape} and frame_mask of shape {mask.shape} for {trials} trials"
            raise AblateError(what, where=str(feature_file(file)), hint="(trials, i, f, d) and (trials, i, f)")
        shape = (*stored.shape[1:3], *frame_shape(stored.shape[1:], "features", str(feature_file(file))))
    return Subject(file, f"subject{number}", samples, labels, _films(file, labels), shape)


def shape_of_frames(subjects: Sequence[Subject], intervals: int, style: FilmStyle) -> tuple[int, ...]:
    """Of a trial's frames (i, f, ...), pads included: features if there are any, else films, else nothing."""
    features = [subject.features for subject in subjects if subject.features is not None]
    if features:
        return (intervals, max(shape[1] for shape in features), features[0][2])
    if any(subject.films for subject in subjects):
        return (intervals, style.frames, style.size, style.size, 3)
    return (intervals, 1, NO_FEATURES)


def _row(subject: Subject, index: int, shape: tuple[int, ...], interval_s: float, style: FilmStyle) -> TrialRow:
    name = f"{subject.name}_trial{index:03d}"
    film = subject.films.get(index + 1) if len(shape) == 5 else None
    shown = None if film is None else Stretch(film, 0.0, shape[0], interval_s)
    has_features = len(shape) == 3 and subject.features is not None

    def frames() -> Frames:
        if shown is not None:
            return read_frames(shown, style)
        if not has_features:
            return no_frames(shape, np.uint8 if len(shape) == 5 else np.float32)
        return _stored(subject, index, shape)

    def mask() -> NDArray[np.bool_]:
        return frames()[1] if shown is None else read_mask(shown, style)

    def content() -> bytes:
        if shown is not None:
            return shown.content()
        seen, valid = frames()
        return hash_of(seen[valid], valid)

    def eeg() -> NDArray[np.floating]:
        return np.asarray(_eeg(subject.file)[:, :, index].T, dtype=np.float64)

    source = str(film or (subject.feature_file if has_features else ""))
    recording = EegFile(str(subject.file), RATE_HZ, NAMES)
    label, where = str(subject.labels[index]), f"{subject.file} (trial {index})"
    keys = None
    if len(shape) == 5:
        keys = _no_keys(shape) if shown is None else (lambda: slot_keys(shown, style))
    return TrialRow(name, subject.name, label, where, recording, eeg, frames, mask, content, source, frame_keys=keys)


def _no_keys(shape: tuple[int, ...]) -> Callable[[], NDArray[np.uint64]]:
    """Of a trial without film."""
    return lambda: np.zeros((*shape[:2], 2), np.uint64)


def _stored(subject: Subject, index: int, shape: tuple[int, ...]) -> Frames:
    """A trial's features beside the EEG."""
    features, where = _features(subject.file) or {}, f"{subject.feature_file} (trial {index})"
    stored = features["features"][index]
    mask = as_mask(features["frame_mask"][index], stored.shape[:2], where)
    if (len(stored), stored.shape[2]) != (shape[0], shape[2]):
        what = f"features of shape {stored.shape}, expected ({shape[0]}, f, {shape[2]})"
        raise AblateError(what, where=where, hint="intervals, frames, width; the same in every subject")
    return clean(stored, mask, "features", where, None), mask


def _films(file: Path, labels: Sequence[int]) -> dict[int, Path]:
    """The subject's films by the number of their trial. Raises AblateError if their names contradict the labels."""
    found = {}
    for path in sorted((file.parent.parent / "Video").glob("*.mp4")):
        if match := re.match(r"(\d{3})_Trial_\d+_([A-Za-z]+_[A-Za-z]+)", path.stem):
            found[int(match[1])] = (path, match[2].lower())
    named = dict[int, str]()
    for number, (path, name) in found.items():
        label = labels[number - 1] if 1 <= number <= len(labels) else -1
        if label < 0 or named.setdefault(label, name) != name:
            raise AblateError(
                f"{path.name} does not fit trial {number}'s label",
                where=str(path.parent),
                hint="each label has films of one task and emotion; are films and EEG of the same subject?",
            )
    return {number: path for number, (path, _) in found.items()}


def _eeg(file: Path) -> np.ndarray:
    """(time, channel, trial) microvolts."""
    content = _mat(file)
    for key in ("seg1", "seg"):
        if key in content:
            found = content[key]
            if found.ndim != 3 or found.shape[1] != CHANNELS or not found.size or found.dtype.kind not in "iuf":
                raise AblateError(
                    f"`{key}` of shape {found.shape} and type {found.dtype}, expected (time, {CHANNELS}, trials)",
                    where=str(file),
                    hint="EAV's own files",
                )
            return found
    raise AblateError("holds neither `seg1` nor `seg`", where=str(file), hint="give EAV's own files")


def _labels(file: Path, trials: int) -> tuple[int, ...]:
    """Class index of each trial. Raises AblateError unless exactly one class of each trial is set."""
    beside = file.with_name(f"{file.stem}_label.mat")
    if not beside.is_file():
        raise AblateError(f"there is no {beside.name}", where=str(file.parent), hint="labels lie beside the EEG")
    stored = _mat(beside).get("label")
    if stored is None or stored.ndim != 2 or stored.shape[1] != trials or stored.dtype.kind not in "biuf":
        of = "" if stored is None else f"`label` of shape {stored.shape} and type {stored.dtype} for {trials} trials"
        what = of or "holds no `label`"
        raise AblateError(what, where=str(beside), hint="(classes, trials), one class of each trial set to 1")
    wrong = np.flatnonzero(~(np.isin(stored, (0, 1)).all(axis=0) & (stored.sum(axis=0) == 1)))
    if len(wrong):
        what = f"{len(wrong)} trials are of no class or of several (the first: trial {int(wrong[0])})"
        raise AblateError(what, where=str(beside), hint="one class of each trial is set to 1, the others to 0")
    return tuple(int(label) for label in stored.argmax(axis=0))


def feature_file(file: Path) -> Path:
    """Where features would lie, beside the EEG."""
    return file.with_name(file.name.replace("_eeg.mat", "_features.npz"))


def _features(file: Path) -> dict[str, np.ndarray] | None:
    beside = feature_file(file)
    if not beside.is_file():
        return None
    return _features_of(beside, look_of(beside))


@lru_cache(maxsize=2)
def _features_of(file: Path, look: Look) -> dict[str, np.ndarray]:
    return {name: read_array(file, name) for name in ("features", "frame_mask")}


def _mat(file: Path) -> dict[str, Any]:  # scipy has texts among the arrays
    return _mat_of(file, look_of(file))


@lru_cache(maxsize=4)
def _mat_of(file: Path, look: Look) -> dict[str, Any]:
    """A .mat file up to version 7; 7.3 is HDF5, whose axes are reversed."""
    from scipy.io import loadmat

    try:
        return dict(loadmat(file))
    except NotImplementedError:
        import h5py

        with h5py.File(file) as opened:
            return {name: np.asarray(opened[name]).T for name in opened if name in ("seg1", "seg", "label")}
    except Exception as error:  # scipy's reader fails in many ways at files that are none
        raise AblateError(f"cannot be read: {error}", where=str(file), hint="give EAV's own files") from error
