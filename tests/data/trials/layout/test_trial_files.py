"""CASES 20 to 22: what stands in manifest.csv and meta.yaml, and files that are not what they seem. Each was a
traceback, or was believed."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from trial_folders import SMALL_FILM, eav, edited, fif, mne_folder, native, problems, said, seed_dv, trials_of

# ------------------------------------------------------------------ 20: texts


@pytest.mark.parametrize("encoding", ["latin-1", "utf-16"])
@pytest.mark.parametrize("name", ["manifest.csv", "meta.yaml"])
def test_a_file_that_is_not_utf8_is_named(tmp_path: Path, name: str, encoding: str) -> None:
    native(tmp_path, trials_of(change=lambda one, _: one.update(session="Frühling")))
    file = tmp_path / name
    file.write_bytes((file.read_text("utf-8") + "# Frühling\n" * (name == "meta.yaml")).encode(encoding))
    (problem,) = problems(tmp_path)
    assert problem.where.startswith(f"{file}:")
    assert problem.what.startswith("is not UTF-8 (byte 0x")


def test_a_byte_order_mark_is_no_column(tmp_path: Path) -> None:
    file = native(tmp_path) / "manifest.csv"
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())
    (tmp_path / "t003.npz").unlink()
    assert "manifest.csv:5: there is no file t003.npz" in said(tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        (",10.0,10.0\nt004", ",10.0\nt004", "manifest.csv:5: 7 cells, but the header names 8 columns"),
        (",10.0,10.0\nt004", ",10.0,10.0,1\nt004", "manifest.csv:5: 9 cells, but the header names 8 columns"),
        ("t003,s0", "t003,", "manifest.csv:5: a trial without subject"),
        ("t003,s0", ",s0", "manifest.csv:5: a trial without trial_id"),
        ("label", "subject", "manifest.csv: without the columns label"),
        ("session", "label", "manifest.csv: without the columns session"),
        ("t003.npz", "", "manifest.csv:5: a trial without EEG"),
        ("10.0,10.0\nt004", "ten,nan\nt004", "manifest.csv:5: t0_eeg_s is `ten`, no number"),
        ("10.0,10.0\nt004", "ten,nan\nt004", "manifest.csv:5: t0_video_s is `nan`, no number"),
    ],
)
def test_a_line_that_is_none_is_named(tmp_path: Path, old: str, new: str, what: str) -> None:
    native(tmp_path)
    manifest = (tmp_path / "manifest.csv").read_bytes().replace(b"\r\n", b"\n")
    (tmp_path / "manifest.csv").write_bytes(manifest)
    edited(tmp_path / "manifest.csv", old, new)
    assert what in said(tmp_path)


def test_columns_and_cells_may_have_spaces_and_lines_may_be_empty(tmp_path: Path) -> None:
    file = native(tmp_path) / "manifest.csv"
    file.write_text(file.read_text().replace(",", " , ").replace("\n", "\n\n"))
    (tmp_path / "t003.npz").unlink()
    assert "there is no file t003.npz" in said(tmp_path)


def test_semicolons_are_named(tmp_path: Path) -> None:
    file = native(tmp_path) / "manifest.csv"
    file.write_text(file.read_text().replace(",", ";"))
    assert "manifest.csv: its columns are not separated by commas" in said(tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("eeg_rate_hz: 100.0", "eeg_rate_hz: 500 Hz", "eeg_rate_hz is `500 Hz`, no number above zero"),
        ("eeg_rate_hz: 100.0", "eeg_rate_hz: -1", "eeg_rate_hz is `-1`, no number above zero"),
        ("eeg_rate_hz: 100.0", "eeg_rate_hz: .nan", "eeg_rate_hz is `nan`, no number above zero"),
        ("interval_s: 2.0", "interval_s: 2 s", "interval_s is `2 s`, no number above zero"),
        ("units: uV", "units: volt", "units `volt` are unknown"),
    ],
)
def test_a_number_of_the_meta_is_a_number(tmp_path: Path, old: str, new: str, what: str) -> None:
    edited(native(tmp_path) / "meta.yaml", old, new)
    assert f"meta.yaml: {what}" in said(tmp_path)


@pytest.mark.parametrize(
    ("names", "what"),
    [
        ("Fz, Cz", "channel_names is `Fz, Cz`, no list of names"),
        ("4", "channel_names is `4`, no list of names"),
        ("[Fz, Cz, Fz, Oz]", "channel_names has Fz twice"),
        ("[Fz, 2, Pz, Oz]", "channel_names is `['Fz', 2, 'Pz', 'Oz']`, no list of names"),
    ],
)
def test_channel_names_are_a_list(tmp_path: Path, names: str, what: str) -> None:
    """`channel_names: Fz, Cz, Pz, Oz` was read as 14 channels of one letter."""
    meta = f"eeg_rate_hz: 100\nunits: uV\ninterval_s: 2\nchannel_names: {names}\n"
    (native(tmp_path) / "meta.yaml").write_text(meta)
    assert what in said(tmp_path)


# ------------------------------------------------------------------ 21: arrays


def as_npy(file: Path) -> None:
    with file.open("wb") as target:
        np.save(target, np.zeros((4, 400)))


def empty_npz(file: Path) -> None:
    np.savez(file)


def cut_short(file: Path) -> None:
    file.write_bytes(file.read_bytes()[:700])


@pytest.mark.parametrize(
    ("spoil", "what"),
    [
        (as_npy, "t003.npz: is a single array of shape (4, 400), not an .npz of named ones"),
        (empty_npz, "t003.npz: holds no array `features`; it has none at all"),
        (cut_short, "t003.npz: cannot be read"),
        (lambda file: file.write_bytes(b""), "t003.npz: cannot be read"),
        (lambda file: file.write_text("no archive"), "t003.npz: cannot be read"),
    ],
)
def test_a_file_that_is_no_npz_is_named(tmp_path: Path, spoil: Callable[[Path], None], what: str) -> None:
    spoil(native(tmp_path) / "t003.npz")
    found = problems(tmp_path)
    assert len(found) == 1
    assert what in said(tmp_path)


def changed(**arrays: Any) -> Callable[[dict[str, Any], int], None]:
    return lambda one, index: one.update(arrays) if index == 5 else None


NAN_TIME = np.array([[0, np.nan, 1.2], [2, 2.6, 3.2]])


@pytest.mark.parametrize(
    ("arrays", "what"),
    [
        ({"frame_t": np.zeros((2, 4))}, "trial t005: frame_t of shape (2, 4) and type float64 for frames (2, 3)"),
        ({"frame_t": np.zeros(6)}, "trial t005: frame_t of shape (6,) and type float64 for frames (2, 3)"),
        ({"frame_t": NAN_TIME}, "trial t005: frame 1 of interval 0 is valid, but its time in frame_t is NaN"),
        ({"frame_mask": np.ones((3, 2), bool)}, "t005.npz: frame_mask of shape (3, 2) and type bool for frames (2, 3)"),
        ({"frame_mask": np.full((2, 3), 255)}, "t005.npz: frame_mask of shape (2, 3) and type int64 for frames (2, 3)"),
        ({"features": np.zeros((2, 3, 0))}, "t005.npz: features of shape (2, 3, 0), expected (i, f, d)"),
        ({"eeg": np.zeros(400)}, "trial t005: EEG of shape (400,), expected (4 channels, 400 samples)"),
        ({"eeg": np.zeros((4, 400))}, "trial t005: the EEG is empty: no channel of 4 moves"),
        ({"eeg": np.zeros((400, 4))}, "trial t005: EEG of shape (400, 4), expected (4 channels, 400 samples)"),
    ],
)
def test_an_array_that_does_not_fit_is_named(tmp_path: Path, arrays: dict[str, Any], what: str) -> None:
    assert what in said(native(tmp_path, trials_of(change=changed(**arrays))))


def test_a_time_that_is_nan_in_a_pad_is_nobodys_business(tmp_path: Path) -> None:
    mask = np.array([[True, False, True], [True] * 3])
    native(tmp_path, trials_of(change=changed(frame_t=NAN_TIME, frame_mask=mask)))
    (tmp_path / "t001.npz").unlink()
    assert len(problems(tmp_path)) == 1


# ------------------------------------------------------------------ 22: the manifest of MNE's files


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("film.mp4,6,4,4", "film.mp4,two,4,4", "manifest.csv:3: t0_eeg_s is `two`, no number"),
        ("film.mp4,6,4,4", "film.mp4,6,4 s,4", "manifest.csv:3: t0_video_s is `4 s`, no number"),
        ("film.mp4,6,4,4", "film.mp4,6,4,", "manifest.csv:3: seconds is ``, no number"),
        ("s0_t1", "s0_t0", "manifest.csv:3: trial `s0_t0` stands here twice (first in line 2)"),
        ("happy,s0_raw.fif,film.mp4,6", "happy,s0_raw.fif,other.mp4,6", "manifest.csv:3: there is no file other.mp4"),
        ("happy,s0_raw.fif", "happy,s9_raw.fif", "manifest.csv:3: there is no file s9_raw.fif"),
        ("film.mp4,6,4,4", "film.mp4,57,4,4", "the trial lasts from 57 to 61 s, but s0_raw.fif from 0 to 60 s"),
        ("film.mp4,6,4,4", "film.mp4,-1,4,4", "the trial lasts from -1 to 3 s, but s0_raw.fif from 0 to 60 s"),
    ],
)
def test_a_line_of_mnes_manifest_that_cannot_be_is_named(tmp_path: Path, old: str, new: str, what: str) -> None:
    edited(mne_folder(tmp_path) / "manifest.csv", old, new)
    assert what in said(tmp_path, **SMALL_FILM)


def test_all_faults_of_mnes_manifest_are_named_at_once(tmp_path: Path) -> None:
    file = mne_folder(tmp_path) / "manifest.csv"
    for trial, new in enumerate(("film.mp4,one,0,4", "gone.mp4,6,4,4", "film.mp4,11,8,5", "film.mp4,58,12,4")):
        edited(file, f"film.mp4,{1 + 5 * trial},{4 * trial},4", new)
    assert [one.where.rpartition(":")[2] for one in problems(tmp_path, **SMALL_FILM)] == ["2", "3", "4", "5"]


def test_a_recording_that_mne_cannot_read_is_named_once(tmp_path: Path) -> None:
    (mne_folder(tmp_path) / "s1_raw.fif").write_bytes(b"no recording")
    (problem,) = problems(tmp_path, **SMALL_FILM)
    assert problem.where == str(tmp_path / "s1_raw.fif")
    assert problem.what.startswith("MNE cannot read it")


def test_a_trial_that_ends_with_its_file_is_whole(tmp_path: Path) -> None:
    edited(mne_folder(tmp_path) / "manifest.csv", "film.mp4,6,4,4", "film.mp4,56,4,4")
    fif(tmp_path / "s1_raw.fif", names=["Fz"], seed=5)
    assert "lasts" not in said(tmp_path, **SMALL_FILM)


# ------------------------------------------------------------------ the same kinds in the other layouts


def test_eav_files_that_do_not_fit_each_other_are_named(tmp_path: Path) -> None:
    place = eav(tmp_path, subjects=2) / "subject2" / "EEG"
    features = np.zeros((20, 2, 3, 6), np.float32)
    np.savez(place / "subject2_features.npz", features=features[:19], frame_mask=np.ones((20, 2, 3), bool))
    assert "features of shape (19, 2, 3, 6) and frame_mask of shape (20, 2, 3) for 20 trials" in said(
        tmp_path, layout="eav"
    )
    np.savez(place / "subject2_features.npz", features=features[..., :4], frame_mask=np.ones((20, 2, 3), bool))
    assert "features of shape (2, 3, 4), expected (2, f, 6)" in said(tmp_path, layout="eav")
    (place / "subject2_eeg.mat").write_bytes(b"MATLAB 5.0 MAT-file" * 3)
    assert "subject2_eeg.mat: cannot be read" in said(tmp_path, layout="eav")


def test_seed_dv_files_that_are_damaged_are_named(tmp_path: Path) -> None:
    (seed_dv(tmp_path) / "sub2.npy").write_bytes(b"\x93NUMPY")
    assert "sub2.npy: cannot be read" in said(tmp_path, layout="seed_dv")
    (tmp_path / "more").mkdir()
    (tmp_path / "sub2.npy").unlink()
    (tmp_path / "more" / "sub1.npy").write_bytes((tmp_path / "sub1.npy").read_bytes())
    assert "trial `sub1_block0_place00` is also in" in said(tmp_path, layout="seed_dv")
