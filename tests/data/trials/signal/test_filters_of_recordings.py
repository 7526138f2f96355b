"""Filters of the mne layout: a trial is cut from what is as good as the filtered recording, whatever its ends."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.signal import butter, iirnotch, sosfilt, sosfilt_zi, sosfiltfilt, tf2sos
from trial_folders import NAMES, SMALL_FILM, edited, fif, mne_folder, opened

from ablate.data.trials.signal.filter import FilterOptions, margin


def drifting(seed: int) -> np.ndarray:
    """60 s at 100 Hz with a drift of 300 microvolts, which an edge of its own would smear over a trial."""
    rng, time = np.random.default_rng(seed), np.arange(6000) / 100
    return 20 * rng.standard_normal((len(NAMES), 6000)) + 300 * np.sin(2 * np.pi * 0.05 * time)


def whole(eeg: np.ndarray, phase: str) -> np.ndarray:
    """The whole recording by scipy, band-passed and notched."""
    for sos in (butter(4, [0.5, 30], "bandpass", fs=100, output="sos"), tf2sos(*iirnotch(45, 30, fs=100))):
        zi = sosfilt_zi(sos)[:, None, :] * eeg[None, :, :1]
        eeg = sosfiltfilt(sos, eeg, axis=1) if phase == "zero" else sosfilt(sos, eeg, axis=1, zi=zi)[0]
    return eeg


@pytest.mark.parametrize("phase", ["zero", "causal"])
def test_a_trial_is_what_the_filtered_recording_is_there(tmp_path: Path, phase: Any) -> None:
    folder = mne_folder(tmp_path)
    of = {name: drifting(index) for index, name in enumerate(("s0", "s1"))}
    for name, eeg in of.items():
        fif(folder / f"{name}_raw.fif", eeg=eeg)
    data = opened(folder, band_hz=[0.5, 30], notch_hz=45, filter_phase=phase, **SMALL_FILM)
    assert "with the recording around each trial" in data.notices[0]
    filtered, worst = {name: whole(eeg, phase) for name, eeg in of.items()}, 0.0
    for split in data.splits.values():
        for trial, eeg in zip(split.trial_ids, split.eeg, strict=True):
            first = 100 * (1 + 5 * int(trial[4:]))
            known = filtered[trial[:2]][:, first : first + 400]
            worst = max(worst, float(np.abs(eeg - known).max() / known.std()))
    assert worst < 1e-3  # single precision of the file, and what a margin forgets
    alone = whole(of["s0"][:, 600:1000], phase)  # what it was: the drift at a trial's ends
    assert np.abs(alone - filtered["s0"][:, 600:1000]).max() / filtered["s0"].std() > 0.1


def test_a_causal_filter_knows_nothing_of_what_follows(tmp_path: Path) -> None:
    folder = mne_folder(tmp_path)
    options: dict[str, Any] = {"band_hz": [0.5, 30], "filter_phase": "causal", **SMALL_FILM}
    eeg = drifting(0)
    fif(folder / "s0_raw.fif", eeg=eeg)
    before = {name: opened(folder, **options).splits[name].eeg for name in ("train", "validation", "test")}
    eeg[:, 4050:] += 500  # after the last trial, which ends at 40 s
    fif(folder / "s0_raw.fif", eeg=eeg)
    after = {name: opened(folder, **options).splits[name].eeg for name in before}
    assert all(np.array_equal(before[name], after[name]) for name in before)
    assert margin(100.0, FilterOptions((0.5, 30.0), phase="causal"))[1] == 0


def test_a_gap_that_is_no_signal_ends_the_margin(tmp_path: Path) -> None:
    """NaN between two trials would otherwise reach every sample."""
    folder = mne_folder(tmp_path)
    eeg = drifting(0)
    eeg[:, 550] = np.nan  # between the first trial, 1 to 5 s, and the second, 6 to 10 s
    fif(folder / "s0_raw.fif", eeg=eeg)
    data = opened(folder, band_hz=[0.5, 30], **SMALL_FILM)
    assert all(np.isfinite(split.eeg).all() for split in data.splits.values())


def test_filters_that_forget_slowly_need_more_of_the_recording() -> None:
    low = [margin(500.0, FilterOptions((hertz, 40.0)))[0] for hertz in (0.1, 0.5, 1.0)]
    assert low[0] > low[1] > low[2] > 500
    assert margin(500.0, FilterOptions()) == (0, 0)


def test_a_trial_at_the_very_start_of_the_file_takes_what_there_is(tmp_path: Path) -> None:
    folder = mne_folder(tmp_path)
    edited(folder / "manifest.csv", ",1,0,4", ",0,0,4")
    assert np.isfinite(opened(folder, band_hz=[0.5, 30], **SMALL_FILM).splits["train"].eeg).all()


def test_trials_of_unequal_length_are_filtered_with_the_recording_around_each(tmp_path: Path) -> None:
    """Filters and `lengths: padded` together: a short trial is the filtered recording to its own end, then zeros."""
    folder = mne_folder(tmp_path)
    eeg = drifting(0)
    fif(folder / "s0_raw.fif", eeg=eeg)
    edited(folder / "manifest.csv", "film.mp4,11,8,4", "film.mp4,11,8,2")
    data = opened(folder, band_hz=[0.5, 30], notch_hz=45, lengths="padded", **SMALL_FILM)
    known = whole(eeg, "zero")
    for split in data.splits.values():
        assert split.lengths is not None
        for trial, length, found in zip(split.trial_ids, split.lengths, split.eeg, strict=True):
            assert length == (1 if trial == "s0_t2" else 2)
            if trial.startswith("s0"):
                first, count = 100 * (1 + 5 * int(trial[4:])), 200 * int(length)
                np.testing.assert_allclose(found[:, :count], known[:, first : first + count], atol=0.02)
                assert not found[:, count:].any()
