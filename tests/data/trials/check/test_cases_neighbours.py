"""Neighbours of the inputs that people really have: what is refused says so, what is read is read the same.

Each row was put through the program by hand first; those that then failed are marked "born of a fault".
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from trial_folders import (
    NAMES,
    SMALL_FILM,
    eav,
    edited,
    fif,
    film,
    mne_folder,
    native,
    opened,
    said,
    seed_dv,
    trials_of,
    video,
)

Plant = Callable[[Path], object]


def in_trial(index: int, **arrays: Any) -> Callable[[dict[str, Any], int], None]:
    """Plants arrays in one trial; a function gets the trial."""

    def change(one: dict[str, Any], at: int) -> None:
        if at == index:
            one.update({name: value(one) if callable(value) else value for name, value in arrays.items()})

    return change


def in_all(**arrays: Any) -> Callable[[dict[str, Any], int], None]:
    return lambda one, _: one.update({name: value(one) if callable(value) else value for name, value in arrays.items()})


def label(text: str, subject: str = "") -> Callable[[dict[str, Any], int], None]:
    """Trial 5 is labelled so, all others calm and happy."""
    return in_trial(5, label=text, **({"subject": subject} if subject else {}))


REFUSED_NATIVE = [
    # 4: a bad channel
    ("flat in one trial", in_trial(3, eeg=lambda one: one["eeg"] * [[1], [0], [1], [1]]), "trial t003: Cz flat"),
    ("nearly flat in all", in_all(eeg=lambda one: one["eeg"] * np.array([[1], [1e-6], [1], [1]])), "Cz flat"),
    ("no channel moves", in_trial(3, eeg=np.zeros((4, 400))), "the EEG is empty"),
    ("born of a fault: 1e300", in_trial(3, eeg=lambda one: one["eeg"].astype("f8") * 1e300), "no scalp is so loud"),
    # 5: lengths
    ("a sample less", in_trial(3, eeg=lambda one: one["eeg"][:, :399]), "expected (4 channels, 400 samples)"),
    ("two samples more", in_trial(3, eeg=np.ones((4, 402))), "expected (4 channels, 400 samples)"),
    ("an interval more", in_trial(3, features=np.zeros((3, 3, 5)), frame_mask=np.ones((3, 3), bool)), "3 intervals"),
    # 7: labels
    ("capitals", label("Calm"), "`Calm` (1 trials) and `calm` (12 trials) are two classes"),
    ("two spaces", lambda one, at: one.update(label=["a b", "a  b"][at % 2]), "are two classes"),
    ("born of a fault: an accent in two forms", lambda o, at: o.update(label=["é", "é"][at % 2]), "two classes"),
    ("born of a fault: nan", label("nan"), "the label `nan` (1 trials) says that there is none"),
    ("born of a fault: a question mark", label("?"), "the label `?` (1 trials) says that there is none"),
    ("born of a fault: a decimal comma", lambda one, at: one.update(label=f"{at % 3},5"), "is regression meant?"),
    ("empty", label(" "), "a trial without label"),
    # whom a fold tests
    ("born of a fault: S1 and s1", label("calm", "S1"), "`S1` (1 trials) and `s1` (6 trials) are two subjects"),
    ("born of a fault: s-01 and s1", label("calm", "s-01"), "`s-01` (1 trials) and `s1` (6 trials) are two subjects"),
    # 8: frames that are not there
    ("all masked", in_all(frame_mask=np.zeros((2, 3), bool)), "48 of 48 intervals have no frame"),
    ("t0_video in ms", in_all(t0_video_s=10_000.0), "frame 0 of interval 0 was shown 9990.000 s after"),
    # 19 and 21: types and shapes
    ("complex features", in_trial(3, features=np.ones((2, 3, 5), "c8")), "features of type complex64"),
    ("features too large for float32", in_trial(3, features=np.full((2, 3, 5), 1e39)), "NaN or infinity"),
    ("EEG of bool", in_trial(3, eeg=np.ones((4, 400), bool)), "eeg of type bool"),
    ("EEG transposed", in_trial(3, eeg=lambda one: one["eeg"].T), "EEG of shape (400, 4)"),
    ("a mask of 2", in_trial(3, frame_mask=np.full((2, 3), 2)), "frame_mask of shape (2, 3) and type int64"),
    ("a mask of NaN", in_trial(3, frame_mask=np.full((2, 3), np.nan)), "frame_mask of shape (2, 3)"),
    ("a mask of another shape", in_trial(3, frame_mask=np.ones((2, 4), bool)), "frame_mask of shape (2, 4)"),
    ("frame_t of text", in_trial(3, frame_t=np.full((2, 3), "a")), "frame_t of shape (2, 3) and type <U1"),
    (
        "born of a fault: frames out of order",
        in_trial(3, frame_t=np.array([[0.6, 0, 1.2], [2, 2.6, 3.2]])),
        "frames of interval 0 do not stand in the order of their times",
    ),
]


@pytest.mark.parametrize(("plant", "text"), [row[1:] for row in REFUSED_NATIVE], ids=[row[0] for row in REFUSED_NATIVE])
def test_a_fault_of_a_native_folder_is_named(tmp_path: Path, plant: Any, text: str) -> None:
    assert text in said(native(tmp_path, trials_of(change=plant)))


@pytest.mark.parametrize("kind", ["f2", "f8", ">f4", ">f8", "i1", "u2", "i8", ">i2", "g"])
def test_numbers_of_any_type_are_the_same_frames_and_the_same_eeg(tmp_path: Path, kind: str) -> None:
    """Row 19: whole numbers, so that every type holds them."""

    def whole(one: dict[str, Any], at: int) -> None:
        one["eeg"], one["features"] = np.round(one["eeg"]).clip(-100, 100), np.round(one["features"] + 10)

    def typed(one: dict[str, Any], at: int) -> None:
        whole(one, at)
        eeg = kind.replace("u2", "i2")
        one.update(eeg=one["eeg"].astype(eeg), features=one["features"].astype(kind))

    plain, other = (
        opened(native(tmp_path / name, trials_of(change=plant))) for name, plant in (("plain", whole), ("typed", typed))
    )
    for one, two in zip((plain.batch("test", np.arange(3)),), (other.batch("test", np.arange(3)),), strict=True):
        assert np.array_equal(one.eeg, two.eeg)
        assert np.array_equal(one.frames, two.frames)


TEXTS = [
    # 20: the two text files
    ("manifest.csv", lambda text: text.replace("\r\n", "\n").replace("\n", "\r"), None),
    ("manifest.csv", lambda text: text.replace("s0,", "s0\u00a0,"), None),
    ("manifest.csv", lambda text: "\ufeff" + text, None),
    ("manifest.csv", lambda text: text.replace(",", ";"), "its columns are not separated by commas"),
    ("manifest.csv", lambda text: text.replace("t003,", '"t003,'), "1 cells, but the header names 8 columns"),
    ("manifest.csv", lambda text: text.replace("t003,", "x" * 200_000 + ","), "cannot be read: field larger than"),
    ("manifest.csv", lambda text: text.replace("subject", "Subject"), "without the columns subject"),
    ("meta.yaml", lambda text: text.replace("100.0", "100 Hz"), "eeg_rate_hz is `100 Hz`, no number above zero"),
    ("meta.yaml", lambda text: text.replace("100.0", ".nan"), "eeg_rate_hz is `nan`, no number above zero"),
    ("meta.yaml", lambda text: text.replace("uV", "uv"), "units `uv` are unknown"),
    ("meta.yaml", lambda text: text + "units: V\n", "cannot be read: DuplicateKeyError"),
    ("meta.yaml", lambda text: "- a\n", "without eeg_rate_hz, channel_names, units, interval_s"),
    ("meta.yaml", lambda text: "", "without eeg_rate_hz, channel_names, units, interval_s"),
]


@pytest.mark.parametrize(("name", "change", "text"), TEXTS)
def test_text_files_as_people_write_them(tmp_path: Path, name: str, change: Callable[[str], str], text: str) -> None:
    folder = native(tmp_path)
    file = folder / name
    file.write_bytes(change(file.read_bytes().decode()).encode())
    if text is None:
        assert opened(folder).notices == ()
    else:
        assert text in said(folder)


def test_a_key_or_column_that_nobody_reads_is_told(tmp_path: Path) -> None:
    """Born of a fault: `interval_label` was no column, and the trial's label was learned in its place."""
    folder = native(tmp_path)
    edited(folder / "manifest.csv", "session", "interval_label")
    edited(folder / "meta.yaml", "units: uV", "units: uV\neeg_unit: V")
    text = (folder / "manifest.csv").read_text().splitlines()
    text = [f"{line},{'session' if row == 0 else 'a'}" for row, line in enumerate(text)]
    (folder / "manifest.csv").write_text("\n".join(text) + "\n")
    assert opened(folder).notices == (
        "meta.yaml: the key `eeg_unit` is not read",
        "the manifest's column `interval_label` is not read: did you mean `interval_labels`?",
    )


PIXELS = [
    # 28
    ("float of 0 to 1", lambda p: (p / 255).astype("f4"), "say what white is"),
    ("uint16", lambda p: p.astype("u2") * 16, "say what white is"),
    ("grey", lambda p: p[..., :1], "expected (i, f, h, w, 3) or (i, f, 3, h, w)"),
    ("RGBA", lambda p: np.concatenate([p, p[..., :1]], -1), "expected (i, f, h, w, 3) or (i, f, 3, h, w)"),
    ("four axes", lambda p: p[0], "expected (i, f, h, w, 3) or (i, f, 3, h, w)"),
]


@pytest.mark.parametrize(("change", "text"), [row[1:] for row in PIXELS], ids=[row[0] for row in PIXELS])
def test_pixels_that_could_mean_two_things_are_a_question(tmp_path: Path, change: Any, text: str) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (2, 3, 8, 10, 3), dtype=np.uint8)
    assert text in said(native(tmp_path, trials_of(change=lambda one, _: video(one, change(pixels)))))


MNE = [
    # 2, 3, 4, 5, 8, 22
    ("99.99 Hz", lambda d: fif(d / "s1_raw.fif", rate=99.99), "recorded at 99.99 Hz"),
    ("small letters", lambda d: fif(d / "s1_raw.fif", names=["fz", "Cz", "Pz", "Oz"]), "it lacks Fz and has fz"),
    ("a channel less", lambda d: fif(d / "s1_raw.fif", names=NAMES[:3]), "it lacks Oz"),
    ("bad in one file", lambda d: fif(d / "s1_raw.fif", bads=["Cz"]), "Cz marked as bad"),
    ("zero seconds", lambda d: edited(d / "manifest.csv", ",1,0,4", ",1,0,0"), "seconds is 0, no whole number"),
    ("minus four", lambda d: edited(d / "manifest.csv", ",1,0,4", ",1,0,-4"), "seconds is -4, no whole number"),
    ("a short film", lambda d: film(d / "film.mp4", [5] * 60), "26 of 32 intervals have no frame"),
    ("infinite", lambda d: edited(d / "manifest.csv", ",1,0,4", ",inf,0,4"), "t0_eeg_s is `inf`, no number"),
    ("before the file", lambda d: edited(d / "manifest.csv", ",1,0,4", ",-1,0,4"), "the trial lasts from -1 to 3 s"),
    ("no film", lambda d: (d / "film.mp4").write_bytes(b"no film"), "film.mp4"),
    ("no recording", lambda d: (d / "s1_raw.fif").write_bytes(b"no fif"), "s1_raw.fif: MNE cannot read it"),
    ("twice", lambda d: edited(d / "manifest.csv", "s0_t1,", "s0_t0,"), "trial `s0_t0` stands here twice"),
]


@pytest.mark.parametrize(("plant", "text"), [row[1:] for row in MNE], ids=[row[0] for row in MNE])
def test_a_fault_of_a_folder_of_mne_files_is_named(tmp_path: Path, plant: Plant, text: str) -> None:
    folder = mne_folder(tmp_path)
    plant(folder)
    assert text in said(folder, **SMALL_FILM)


def test_channels_in_another_order_are_the_same_recording(tmp_path: Path) -> None:
    """Row 3, to the last bit."""
    first, other = mne_folder(tmp_path / "a"), mne_folder(tmp_path / "b")
    eeg = fif(first / "s1_raw.fif", seed=1)
    fif(other / "s1_raw.fif", names=NAMES[::-1], eeg=eeg[::-1])
    one, two = (opened(folder, channels=NAMES, **SMALL_FILM) for folder in (first, other))
    assert all(np.array_equal(one.splits[name].eeg, two.splits[name].eeg) for name in one.splits)


@pytest.mark.parametrize("layout", ["eav", "seed_dv"])
def test_another_value_in_a_frame_is_another_fingerprint_in_published_layouts(tmp_path: Path, layout: Any) -> None:
    """Row 1: features under the same names."""
    if layout == "eav":
        file = eav(tmp_path) / "subject1" / "EEG" / "subject1_features.npz"
        before = opened(tmp_path, layout=layout).fingerprint
        arrays = dict(np.load(file))
        arrays["features"][4, 1, 2, 3] += 1
        np.savez(file, **arrays)
    else:
        seed_dv(tmp_path)
        before = opened(tmp_path, layout=layout).fingerprint
        features = np.load(tmp_path / "features.npy")
        features[1, 2, 3, 1, 4] += 1
        np.save(tmp_path / "features.npy", features)
    assert opened(tmp_path, layout=layout).fingerprint != before
