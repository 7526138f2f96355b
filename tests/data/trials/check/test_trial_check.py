"""The one check before training: every fault of a folder at once, with file and trial."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from trial_folders import SMALL_FILM, edited, fif, mne_folder, native, opened, problems, trials_of


def test_ten_faults_of_a_native_folder_are_named_at_once(tmp_path: Path) -> None:
    """Done-when 1 of issue 13. Each fault is in a trial of its own."""

    def plant(one: dict[str, Any], index: int) -> None:
        match index:
            case 1:
                one["label"] = ""
            case 2:
                one["eeg"][3] = 0  # flat
            case 4:
                one["eeg"] = one["eeg"] * 1e-6  # volts
            case 6:
                one["eeg"] = one["eeg"][:3]
            case 8:
                one["eeg"][1, 7] = np.nan
            case 10:
                one["features"][1, 1, 0] = np.inf
            case 12:
                one["t0_video_s"] = 13.5  # the film starts 3.5 s later than the EEG
            case 14:
                one["frame_t"] = one["frame_t"][:, :2]
            case 16:
                one["eeg"] = one["eeg"][:, :350]
            case 18:
                one["features"] = one["features"][..., :4]
            case _:
                pass

    native(tmp_path, trials_of(change=plant))
    found = {(one.where.rpartition("/")[2], one.what) for one in problems(tmp_path)}
    assert found == {
        ("manifest.csv:3", "a trial without label"),
        ("trial t002", "Oz flat"),
        ("trial t004", "the EEG has a standard deviation of 2e-05 microvolts"),
        ("trial t006", "EEG of shape (3, 400), expected (4 channels, 400 samples)"),
        ("trial t008", "the EEG holds NaN or infinity"),
        ("t010.npz (trial t010)", "1 valid frames hold NaN or infinity (the first: frame 1 of interval 1)"),
        ("trial t012", "frame 0 of interval 0 was shown 3.500 s after the first EEG sample, outside [0, 2)"),
        ("trial t014", "frame_t of shape (2, 2) and type float64 for frames (2, 3)"),
        ("trial t016", "EEG of shape (4, 350), expected (4 channels, 400 samples)"),
        ("manifest.csv:20", "frames of shape (4,), those of trial `t000` have (5,)"),
    }


def test_ten_faults_of_a_folder_of_mne_files_are_named_at_once(tmp_path: Path) -> None:
    folder = mne_folder(tmp_path, subjects=5)
    fif(folder / "s1_raw.fif", rate=250.0, seed=11)
    fif(folder / "s2_raw.fif", names=["Fz", "Cz", "Pz", "O1"], seed=12)
    fif(folder / "s3_raw.fif", bads=["Cz"], seed=13)
    fif(folder / "s4_raw.fif", eeg=2e-5 * np.random.default_rng(14).standard_normal((4, 6000)))
    manifest = folder / "manifest.csv"
    edited(manifest, "s0_t1,s0,happy", "s0_t1,s0, ")
    edited(manifest, "s0_raw.fif,film.mp4,11,8,4", "s0_raw.fif,film.mp4,11,8,5")
    edited(manifest, "s0_raw.fif,film.mp4,16,12,4", "s0_raw.fif,film.mp4,soon,12,4")
    edited(manifest, "s0_raw.fif,film.mp4,21,16,4", "s0_raw.fif,gone.mp4,21,16,4")
    edited(manifest, "s0_raw.fif,film.mp4,26,20,4", "s0_raw.fif,film.mp4,58,20,4")
    edited(manifest, "s0_t6,s0", "s0_t0,s0")
    found = [one.what for one in problems(folder, **SMALL_FILM)]
    for what in (
        "a trial without label",
        "seconds is 5, no whole number of intervals of 2 s",
        "t0_eeg_s is `soon`, no number",
        "there is no file gone.mp4",
        "the trial lasts from 58 to 62 s, but s0_raw.fif from 0 to 60 s",
        "trial `s0_t0` stands here twice (first in line 2)",
        f"recorded at 250 Hz, but {folder}/s0_raw.fif at 100 Hz",
        f"its channels are not those of {folder}/s0_raw.fif: it lacks Oz and has O1 beside them",
        "Cz marked as bad",
        "the EEG has a standard deviation of 2e-05 microvolts",
    ):
        assert what in found


def test_the_same_fault_of_many_trials_is_said_a_few_times_and_counted(tmp_path: Path) -> None:
    native(tmp_path, trials_of(change=lambda one, _: one.update(frame_t=np.zeros(3))))
    found = problems(tmp_path)
    assert len(found) == 4
    assert found[3].what.endswith(": the same in 21 more, as trial t023")


def test_a_sound_folder_has_nothing_to_say(tmp_path: Path) -> None:
    assert opened(native(tmp_path)).notices == ()


def test_a_class_too_small_for_three_splits_is_a_notice(tmp_path: Path) -> None:
    trials = trials_of(change=lambda one, index: one.update(label="rare" if index == 0 else one["label"]))
    notices = opened(native(tmp_path, trials)).notices
    assert notices[0] == "fewer than three trials of `rare` (1): not every split can hold such a class"
    assert len([notice for notice in notices if "split holds no `rare`" in notice]) == 2


@pytest.mark.parametrize(
    ("start", "stop", "held", "text"),
    [
        (0, 200, 90.0, "Pz, in 1 of 24 trials (the longest: Pz, 50 % of trial t005)"),  # clipped at its rail
        (350, 400, 0.0, "Pz, in 1 of 24 trials (the longest: Pz, 12 % of trial t005)"),  # zeros at the end
        (100, 120, 90.0, None),  # 5 % may be chance
    ],
)
def test_a_channel_that_stands_still_in_a_part_of_a_trial_is_told(
    tmp_path: Path, start: int, stop: int, held: float, text: str | None
) -> None:
    def clip(one: dict[str, Any], index: int) -> None:
        if index == 5:
            one["eeg"][2, start:stop] = held

    notices = opened(native(tmp_path, trials_of(change=clip))).notices
    said = "channels that stand still for a tenth of a trial or longer, as clipped or padded ones do: "
    assert notices == (() if text is None else (f"{said}{text}; they are kept as they are",))
