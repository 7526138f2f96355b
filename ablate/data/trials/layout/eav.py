"""The EAV data set (Lee et al. 2024, Scientific Data 11).

    subjectN/EEG/subjectN_eeg.mat        `seg1` or `seg`, (10000, 30, 200) = time, channel, trial: 20 s at 500 Hz
    subjectN/EEG/subjectN_eeg_label.mat  `label`, (10, 200) one-hot: five emotions, listening and speaking
    subjectN/Video/001_Trial_01_Listening_Neutral.mp4, ...    the number is the trial's, from 1; needs the extra [video]

Frame features beside the EEG, `subjectN_features.npz` (features (200, i, f, d), frame_mask (200, i, f)), stand in for
the films. A trial without film has no frames.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from scipy.io import loadmat

from ablate.data.trials.layout.film import FilmStyle, Stretch, read_frames, read_mask
from ablate.data.trials.layout.table import Frames, TrialRow, TrialTable, no_frames, trimmed
from ablate.errors import AblateError

RATE_HZ, CHANNELS = 500.0, 30
NO_FEATURES = 1  # width of the frames where no features are there


def read_folder(folder: Path, interval_s: float, style: FilmStyle) -> TrialTable:
    """All subjects below the folder. Raises AblateError for files of another shape."""
    files = {
        match[1]: path
        for path in sorted(folder.rglob("*_eeg.mat"))
        if (match := re.fullmatch(r"subject(\d+)_eeg", path.stem))
    }
    if not files:
        raise AblateError("there is no subjectN_eeg.mat", where=str(folder), hint="give the folder of EAV's subjects")
    samples = _eeg(files[min(files, key=int)]).shape[0]
    intervals = round(samples / RATE_HZ / interval_s)
    shape = frame_shape(list(files.values()), intervals, style)
    rows = [
        _row(Trial(files[number], number, index, str(label), samples), shape, interval_s, style)
        for number in sorted(files, key=int)
        for index, label in enumerate(_labels(files[number]))
    ]
    names = tuple(f"channel_{index:02d}" for index in range(CHANNELS))
    seen = (3, *shape[2:4]) if len(shape) == 5 else shape[2:]
    return TrialTable(tuple(rows), RATE_HZ, names, interval_s, intervals, shape[1], seen)


def frame_shape(files: Sequence[Path], intervals: int, style: FilmStyle) -> tuple[int, ...]:
    """Of a trial's frames (i, f, ...), pads included: features if there are any, else films, else nothing."""
    features = [film["features"].shape[2:] for file in files if (film := _features(file)) is not None]
    if features:
        return (intervals, max(f for f, _ in features), features[0][1])
    if any(_films(file) for file in files):
        return (intervals, style.frames, style.size, style.size, 3)
    return (intervals, 1, NO_FEATURES)


@dataclass(frozen=True)
class Trial:
    """Where a trial stands. file: of its EEG. index: from 0."""

    file: Path
    subject: str
    index: int
    label: str
    samples: int


def _row(trial: Trial, shape: tuple[int, ...], interval_s: float, style: FilmStyle) -> TrialRow:
    name = f"subject{trial.subject}_trial{trial.index:03d}"
    film = _films(trial.file).get(trial.index + 1) if len(shape) == 5 else None
    shown = None if film is None else Stretch(film, 0.0, shape[0], interval_s)

    def frames() -> Frames:
        if shown is not None:
            return read_frames(shown, style)
        features = _features(trial.file) if len(shape) == 3 else None
        if features is None:
            return no_frames(shape, np.uint8 if len(shape) == 5 else np.float32)
        return features["features"][trial.index].astype(np.float32), features["frame_mask"][trial.index].astype(
            np.bool_
        )

    def mask() -> Any:
        return frames()[1] if shown is None else read_mask(shown, style)

    def eeg() -> Any:
        return trimmed(_eeg(trial.file)[:, :, trial.index].T, trial.samples, name)

    return TrialRow(name, f"subject{trial.subject}", trial.label, eeg, frames, mask)


@lru_cache(maxsize=64)
def _films(file: Path) -> dict[int, Path]:
    """The subject's films by the number of their trial. Raises AblateError if their names contradict the labels."""
    found = {}
    for path in sorted((file.parent.parent / "Video").glob("*.mp4")):
        if match := re.match(r"(\d{3})_Trial_\d+_([A-Za-z]+_[A-Za-z]+)", path.stem):
            found[int(match[1])] = (path, match[2].lower())
    labels, named = _labels(file), dict[int, str]()
    for number, (path, name) in found.items():
        label = int(labels[number - 1]) if number <= len(labels) else -1
        if label < 0 or named.setdefault(label, name) != name:
            raise AblateError(
                f"{path.name} does not fit trial {number}'s label",
                where=str(path.parent),
                hint="each label has films of one task and emotion; are films and EEG of the same subject?",
            )
    return {number: path for number, (path, _) in found.items()}


@lru_cache(maxsize=2)
def _eeg(file: Path) -> Any:
    """(time, channel, trial) microvolts."""
    content = _mat(file)
    for key in ("seg1", "seg"):
        if key in content:
            found = content[key]
            if found.ndim != 3 or found.shape[1] != CHANNELS:
                raise AblateError(
                    f"`{key}` of shape {found.shape}, expected (time, {CHANNELS}, trials)",
                    where=str(file),
                    hint="EAV's own files",
                )
            return found
    raise AblateError("holds neither `seg1` nor `seg`", where=str(file), hint="give EAV's own files")


def _labels(file: Path) -> Any:
    """Class index of each trial."""
    beside = file.with_name(f"{file.stem}_label.mat")
    if not beside.is_file():
        raise AblateError(f"there is no {beside.name}", where=str(file.parent), hint="labels lie beside the EEG")
    return _mat(beside)["label"].argmax(axis=0)


@lru_cache(maxsize=2)
def _features(file: Path) -> Any:
    beside = file.with_name(file.name.replace("_eeg.mat", "_features.npz"))
    if not beside.is_file():
        return None
    with np.load(beside, allow_pickle=False) as opened:
        return {name: opened[name] for name in ("features", "frame_mask")}


def _mat(file: Path) -> dict[str, Any]:
    """A .mat file up to version 7; 7.3 is HDF5, whose axes are reversed."""
    try:
        return dict(loadmat(file))
    except NotImplementedError:
        import h5py

        with h5py.File(file) as opened:
            return {name: np.asarray(opened[name]).T for name in opened if name in ("seg1", "seg", "label")}
    except (OSError, ValueError) as error:
        raise AblateError(f"cannot be read: {error}", where=str(file), hint="give EAV's own files") from error
