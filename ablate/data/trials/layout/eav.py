"""The EAV data set (Lee et al. 2024, Scientific Data 11): `subjectN_eeg.mat` with `seg1` or `seg`, (10000, 30, 200).

Axes are time, channel, trial: 20 s at 500 Hz. `subjectN_eeg_label.mat` holds `label`, (classes, 200) one-hot. Frame
features
are read from `subjectN_features.npz` (features (200, i, f, d), frame_mask (200, i, f)) if it is there; else video is
absent.
"""

import re
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from scipy.io import loadmat

from ablate.data.trials.layout.table import Frames, TrialRow, TrialTable, trimmed
from ablate.errors import AblateError

RATE_HZ, CHANNELS = 500.0, 30
NO_FEATURES = 1  # width of the frames where no features are there


def read_folder(folder: Path, interval_s: float) -> TrialTable:
    """All subjects below the folder. Raises AblateError for files of another shape."""
    files = {
        match[1]: path
        for path in sorted(folder.rglob("*_eeg.mat"))
        if (match := re.fullmatch(r"subject(\d+)_eeg", path.stem))
    }
    if not files:
        raise AblateError("there is no subjectN_eeg.mat", where=str(folder), hint="give the folder of EAV's subjects")
    rows: list[TrialRow] = []
    shape, samples = (NO_FEATURES,), 0
    frames = 1
    for number in sorted(files, key=int):
        eeg, labels, film = _eeg(files[number]), _labels(files[number]), _features(files[number])
        samples = eeg.shape[0]
        intervals = round(samples / RATE_HZ / interval_s)
        if film is not None:
            shape, frames = film["features"].shape[3:], max(frames, film["features"].shape[2])
        rows += [
            _row(files[number], number, trial, str(label), intervals, samples) for trial, label in enumerate(labels)
        ]
    names = tuple(f"channel_{index:02d}" for index in range(CHANNELS))
    return TrialTable(tuple(rows), RATE_HZ, names, interval_s, intervals, frames, tuple(shape))


def _row(file: Path, number: str, trial: int, label: str, intervals: int, samples: int) -> TrialRow:
    name = f"subject{number}_trial{trial:03d}"

    def frames() -> Frames:
        film = _features(file)
        if film is None:
            return np.zeros((intervals, 1, NO_FEATURES), dtype=np.float32), np.zeros((intervals, 1), dtype=np.bool_)
        return film["features"][trial].astype(np.float32), film["frame_mask"][trial].astype(np.bool_)

    def eeg() -> Any:
        return trimmed(_eeg(file)[:, :, trial].T, samples, name)

    return TrialRow(name, f"subject{number}", label, eeg, frames, lambda: frames()[1])


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
