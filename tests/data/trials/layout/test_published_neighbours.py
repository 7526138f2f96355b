"""Neighbours of the known faults in the layouts of published data sets: a rate, channel or type that is not theirs."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.io import loadmat, savemat
from trial_folders import eav, opened, said, seed_dv


def mat(folder: Path, change: Callable[[Any], Any], name: str = "eeg", key: str = "seg1") -> None:
    """One array of EAV's subject 2 rewritten."""
    file = folder / "subject2" / "EEG" / f"subject2_{name}.mat"
    savemat(file, {key: change(loadmat(file)[key])})


def features(folder: Path, **change: Callable[[Any], Any]) -> None:
    """Arrays of EAV's subject 2 beside the EEG rewritten."""
    file = folder / "subject2" / "EEG" / "subject2_features.npz"
    arrays = {name: change.get(name, np.asarray)(value) for name, value in np.load(file).items()}
    np.savez(file, **arrays)


def with_nan(array: Any, *place: int) -> Any:
    array = np.array(array, dtype=np.float64)
    array[place] = np.nan
    return array


EAV = [
    ("half the rate", lambda d: mat(d, lambda e: e[::2]), "EEG of shape (30, 1000), expected (30 channels, 2000"),
    ("a channel less", lambda d: mat(d, lambda e: e[:, :29]), "`seg1` of shape (2000, 29, 20) and type float64"),
    ("ends early", lambda d: mat(d, lambda e: e[:1990]), "EEG of shape (30, 1990), expected (30 channels, 2000"),
    ("a NaN", lambda d: mat(d, lambda e: with_nan(e, 7, 3, 4)), "trial subject2_trial004: the EEG holds NaN"),
    ("text", lambda d: mat(d, lambda e: np.full(e.shape, "a")), "and type <U1, expected (time, 30, trials)"),
    ("complex", lambda d: mat(d, lambda e: e + 1j), "and type complex128, expected (time, 30, trials)"),
    ("labels of text", lambda d: mat(d, lambda e: np.full(e.shape, "a"), "eeg_label", "label"), "type <U1 for 20"),
    ("a NaN label", lambda d: mat(d, lambda e: with_nan(e, 0, 2), "eeg_label", "label"), "(the first: trial 2)"),
    ("features of text", lambda d: features(d, features=lambda f: f.astype(str)), "features of type <U"),
    ("a NaN feature", lambda d: features(d, features=lambda f: with_nan(f, 3, 1, 2, 0)), "frame 2 of interval 1"),
    ("a mask of NaN", lambda d: features(d, frame_mask=lambda m: m * np.nan), "frame_mask of shape (2, 3) and type"),
    ("a mask of 2", lambda d: features(d, frame_mask=lambda m: m * 2), "frame_mask of shape (2, 3) and type int64"),
    ("other widths", lambda d: features(d, features=lambda f: f[..., :4]), "expected (2, f, 6)"),
]


@pytest.mark.parametrize(("plant", "text"), [row[1:] for row in EAV], ids=[row[0] for row in EAV])
def test_a_fault_of_eavs_files_is_named(tmp_path: Path, plant: Callable[[Path], object], text: str) -> None:
    plant(eav(tmp_path, subjects=2))
    assert text in said(tmp_path, layout="eav")


def array(folder: Path, name: str, change: Callable[[Any], Any]) -> None:
    np.save(folder / f"{name}.npy", change(np.load(folder / f"{name}.npy")))


DV = [
    ("half the rate", lambda d: array(d, "sub2", lambda e: e[..., ::2]), "EEG of shape (2, 4, 5, 62, 200)"),
    ("a channel less", lambda d: array(d, "sub2", lambda e: e[..., :61, :]), "EEG of shape (2, 4, 5, 61, 400)"),
    ("a clip less", lambda d: array(d, "sub2", lambda e: e[:, :, :4]), "EEG of shape (2, 4, 4, 62, 400)"),
    ("a block less", lambda d: array(d, "sub2", lambda e: e[:1]), "EEG of shape (1, 4, 5, 62, 400)"),
    ("a NaN", lambda d: array(d, "sub2", lambda e: with_nan(e, 1, 2, 0, 3, 4)), "sub2_block1_place02: the EEG holds"),
    ("text", lambda d: array(d, "sub2", lambda e: np.full(e.shape, "a")), "and type <U1, expected"),
    ("complex", lambda d: array(d, "sub2", lambda e: e + 1j), "and type complex64, expected"),
    ("labels of text", lambda d: array(d, "All_video_label", lambda e: e.astype(str)), "labels of shape (2, 4) and"),
    ("a NaN label", lambda d: array(d, "All_video_label", lambda e: with_nan(e, 0, 1)), "labels of shape (2, 4) and"),
    ("features of text", lambda d: array(d, "features", lambda f: f.astype("U4")), "features of type <U4"),
    ("a NaN feature", lambda d: array(d, "features", lambda f: with_nan(f, 1, 2, 3, 1, 0)), "frame 1 of interval 3"),
    ("a clip without film", lambda d: array(d, "features", lambda f: f[:, :, :4]), "shape (2, 4, 4, 3, 7), expected"),
]


@pytest.mark.parametrize(("plant", "text"), [row[1:] for row in DV], ids=[row[0] for row in DV])
def test_a_fault_of_seed_dvs_files_is_named(tmp_path: Path, plant: Callable[[Path], object], text: str) -> None:
    plant(seed_dv(tmp_path))
    assert text in said(tmp_path, layout="seed_dv")


@pytest.mark.parametrize("layout", ["eav", "seed_dv"])
def test_eeg_rewritten_under_the_same_name_is_another_fingerprint(tmp_path: Path, layout: Any) -> None:
    eav(tmp_path, subjects=2) if layout == "eav" else seed_dv(tmp_path)
    before = opened(tmp_path, layout=layout).fingerprint
    if layout == "eav":
        mat(tmp_path, lambda eeg: eeg + np.eye(2000, 30)[..., None])
    else:
        array(tmp_path, "sub2", lambda eeg: eeg + np.eye(62, 400))
    assert opened(tmp_path, layout=layout).fingerprint != before
