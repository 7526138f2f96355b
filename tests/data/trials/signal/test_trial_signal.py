"""CASES 2 to 5: rates, channels, bad and flat channels, lengths. Each was read wrongly without a word."""

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
    mne_folder,
    native,
    opened,
    problems,
    said,
    trials_of,
)

from ablate.data.trials import TrialsConfig


def read(folder: Path, trial: str, **options: Any) -> np.ndarray:
    """A trial's EEG as it goes into a study."""
    config = TrialsConfig(path=str(folder), **options)
    row = next(row for row in config.read_table().rows if row.trial_id == trial)
    return config.checked().signal.read(row)


# ------------------------------------------------------------------ 2: rates


@pytest.mark.parametrize(("first", "second"), [(500.0, 250.0), (160.0, 128.0)])
def test_two_rates_are_refused_naming_both_files(tmp_path: Path, first: float, second: float) -> None:
    mne_folder(tmp_path, rate=first)
    fif(tmp_path / "s1_raw.fif", rate=second)
    (problem,) = problems(tmp_path, **SMALL_FILM)
    assert problem.where == str(tmp_path / "s1_raw.fif")
    assert problem.what == f"recorded at {second:g} Hz, but {tmp_path / 's0_raw.fif'} at {first:g} Hz"
    assert problem.hint == f"`data.resample_hz: {second:g}` brings them to one rate"


def test_two_rates_are_brought_to_one_where_the_recipe_says_so(tmp_path: Path) -> None:
    mne_folder(tmp_path)
    for subject, rate in enumerate((500.0, 250.0)):
        time = np.arange(round(60 * rate)) / rate
        fif(tmp_path / f"s{subject}_raw.fif", rate=rate, eeg=30 * np.sin(2 * np.pi * 3 * time) * np.ones((4, 1)))
    for trial, start in (("s0_t2", 11.0), ("s1_t2", 11.0)):
        eeg = read(tmp_path, trial, resample_hz=100.0, **SMALL_FILM)
        assert eeg.shape == (4, 400)
        expected = 30 * np.sin(2 * np.pi * 3 * (start + np.arange(400) / 100))
        np.testing.assert_allclose(eeg[0, 20:-20], expected[20:-20], atol=0.3)


def test_a_rate_is_never_raised(tmp_path: Path) -> None:
    assert "s0_raw.fif: recorded at 100 Hz, which resample_hz 120 would raise" in said(
        mne_folder(tmp_path), resample_hz=120.0, **SMALL_FILM
    )


def test_an_interval_needs_whole_samples(tmp_path: Path) -> None:
    mne_folder(tmp_path, rate=128.0)
    manifest = tmp_path / "manifest.csv"
    manifest.write_text(manifest.read_text().replace(",4\n", ",3.9\n"))
    assert "an interval of 1.3 s at 128 Hz has 166.4 samples, no whole number" in said(
        tmp_path, interval_s=1.3, **SMALL_FILM
    )


# ------------------------------------------------------------------ 3: channels


def test_channels_in_another_order_are_matched_by_name(tmp_path: Path) -> None:
    mne_folder(tmp_path)
    order = [3, 1, 0, 2]
    eeg = fif(tmp_path / "s1_raw.fif", names=[NAMES[place] for place in order], seed=9)
    np.testing.assert_allclose(
        read(tmp_path, "s1_t0", **SMALL_FILM), eeg[[order.index(place) for place in range(4)], 100:500], rtol=1e-4
    )


@pytest.mark.parametrize(
    ("names", "what"),
    [
        (["Fz", "Cz", "Pz"], "it lacks Oz"),
        (["Fz", "Cz", "Pz", "O1"], "it lacks Oz and has O1 beside them"),
        (["Fz", "Cz", "Pz", "Oz", "Fp1"], "it has Fp1 beside them"),
        (["FZ", "Cz", "Pz", "Oz"], "it lacks Fz and has FZ beside them"),
    ],
)
def test_channels_of_other_names_are_refused(tmp_path: Path, names: list[str], what: str) -> None:
    mne_folder(tmp_path)
    fif(tmp_path / "s1_raw.fif", names=names, seed=9)
    (problem,) = problems(tmp_path, **SMALL_FILM)
    assert problem.where == str(tmp_path / "s1_raw.fif")
    assert problem.what == f"its channels are not those of {tmp_path / 's0_raw.fif'}: {what}"
    assert problem.hint.startswith("`data.channels` takes what all files have: ")


def test_the_recipe_names_the_channels_that_all_have(tmp_path: Path) -> None:
    mne_folder(tmp_path)
    eeg = fif(tmp_path / "s1_raw.fif", names=["Oz", "Pz", "Cz"], seed=9)
    options = {"channels": ("Cz", "Oz"), **SMALL_FILM}
    assert opened(tmp_path, **options).spec.eeg_channels == 2
    np.testing.assert_allclose(read(tmp_path, "s1_t0", **options), eeg[[2, 0], 100:500], rtol=1e-4)
    assert "not those of data.channels: it lacks T8" in said(tmp_path, **{**options, "channels": ("Cz", "T8")})


def test_a_native_trial_of_another_channel_count_is_named(tmp_path: Path) -> None:
    """CASES 21: it was a traceback."""

    def one_less(one: dict[str, Any], index: int) -> None:
        one["eeg"] = one["eeg"][: 4 - (index == 9)]

    (problem,) = problems(native(tmp_path, trials_of(change=one_less)))
    assert (problem.where, problem.what) == (
        "trial t009",
        "EEG of shape (3, 400), expected (4 channels, 400 samples)",
    )


def test_a_file_without_eeg_channels_says_what_it_has(tmp_path: Path) -> None:
    mne = pytest.importorskip("mne")
    mne_folder(tmp_path)
    info = mne.create_info(["A", "B"], 100.0, "misc")
    mne.io.RawArray(np.ones((2, 6000)), info, verbose="error").save(
        tmp_path / "s1_raw.fif", overwrite=True, verbose="error"
    )
    assert "has no channel of type eeg, only misc" in said(tmp_path, **SMALL_FILM)


# ------------------------------------------------------------------ 4: bad and flat channels


def test_channels_marked_as_bad_are_a_question(tmp_path: Path) -> None:
    mne_folder(tmp_path)
    fif(tmp_path / "s1_raw.fif", bads=["Cz"], seed=1)
    (problem,) = problems(tmp_path, **SMALL_FILM)
    assert (problem.where, problem.what) == (str(tmp_path / "s1_raw.fif"), "Cz marked as bad")
    assert "`data.bads: drop`" in problem.hint


def test_a_bad_channel_is_dropped_from_every_trial(tmp_path: Path) -> None:
    mne_folder(tmp_path)
    fif(tmp_path / "s1_raw.fif", bads=["Cz"], seed=1)
    data = opened(tmp_path, bads="drop", **SMALL_FILM)
    assert data.spec.eeg_channels == 3
    assert data.notices == ("channels marked as bad: Cz; flat: none; left out of all trials",)


def test_a_bad_channel_is_interpolated_from_its_neighbours(tmp_path: Path) -> None:
    """A field that is smooth over the scalp is known again; the trials where the channel is good stay as they are."""
    mne = pytest.importorskip("mne")
    names = ["Fz", "Cz", "Pz", "Oz", "C3", "C4", "F3", "F4", "P3", "P4", "T7", "T8"]
    places = mne.channels.make_standard_montage("biosemi64").get_positions()["ch_pos"]
    mne_folder(tmp_path, names=names)
    rng = np.random.default_rng(0)
    weights = np.array([places[name] for name in names]) @ rng.standard_normal((3, 1)) * 10
    smooth = 20 * weights @ rng.standard_normal((1, 6000)) + 0.1 * rng.standard_normal((12, 6000))
    broken = smooth.copy()
    broken[1] = 500 * rng.standard_normal(6000)
    fif(tmp_path / "s1_raw.fif", names=names, bads=["Cz"], eeg=broken)
    eeg = read(tmp_path, "s1_t0", bads="interpolate", **SMALL_FILM)
    assert np.corrcoef(eeg[1], smooth[1, 100:500])[0, 1] > 0.98
    np.testing.assert_allclose(np.delete(eeg, 1, axis=0), np.delete(broken, 1, axis=0)[:, 100:500], atol=1e-3)


def test_channels_that_sit_nowhere_cannot_be_interpolated(tmp_path: Path) -> None:
    mne_folder(tmp_path, names=["A", "B", "C", "D"], bads=["B"])
    assert "B cannot be interpolated: nobody knows where the channels sit" in said(
        tmp_path, bads="interpolate", **SMALL_FILM
    )


def test_native_trials_name_their_bads_in_the_manifest(tmp_path: Path) -> None:
    manifest = native(tmp_path) / "manifest.csv"
    head, *lines = manifest.read_text().splitlines()
    manifest.write_text("\n".join([f"{head},bads", *(f"{line},{'Pz;Oz' * (n == 4)}" for n, line in enumerate(lines))]))
    assert said(tmp_path).startswith("t004.npz: Pz, Oz marked as bad")
    assert opened(tmp_path, bads="drop").spec.eeg_channels == 2
    edited(manifest, "Pz;Oz", "Pz T8")
    assert "t004.npz: T8 marked as bad, but there is no such channel" in said(tmp_path)


def flat_in(*subjects: int, channel: int = 2) -> Any:
    def change(one: dict[str, Any], index: int) -> None:
        if index // 6 in subjects:
            one["eeg"][channel] = 0.0

    return change


def test_a_flat_channel_is_named_with_its_trials(tmp_path: Path) -> None:
    native(tmp_path, trials_of(change=flat_in(1)))
    lines = [f"{one.where}: {one.what}" for one in problems(tmp_path)]
    assert lines == [
        "trial t006: Pz flat",
        "trial t007: Pz flat",
        "trial t008: Pz flat",
        ": Pz flat: the same in 3 more, as trial t011",
    ]
    data = opened(tmp_path, bads="drop")
    assert data.spec.eeg_channels == 3
    assert data.notices == ("channels marked as bad: none; flat: Pz; left out of all trials",)


def test_a_channel_that_is_flat_in_training_alone_is_never_divided_by_nothing(tmp_path: Path) -> None:
    """It was divided by 1e-12, and its z-scores in the test subjects reached 5e13."""
    folder = native(tmp_path, trials_of(subjects=5))
    options: dict[str, Any] = {"split": "subject", "bads": "keep"}
    config = TrialsConfig(path=str(folder), **options)
    train = {int(row.subject[1:]) for row in config.rows_of(config.read_table())["train"]}
    native(tmp_path, trials_of(subjects=5, change=flat_in(*train)))
    data = opened(tmp_path, **options)
    for split in ("validation", "test"):
        batch = next(data.sweep(split, batch_size=64))  # type: ignore[arg-type]
        assert float(batch.eeg.abs().max()) < 10
        assert (batch.eeg[:, 2] == 0).all()


# ------------------------------------------------------------------ units


@pytest.mark.parametrize(
    ("factor", "what"),
    [(1e-6, "standard deviation of 2e-05 microvolts"), (1e3, "standard deviation of 2e+04 microvolts")],
)
def test_another_unit_than_stated_is_named(tmp_path: Path, factor: float, what: str) -> None:
    def change(one: dict[str, Any], index: int) -> None:
        if index == 5:
            one["eeg"] = one["eeg"] / one["eeg"].std(axis=1, keepdims=True) * 20 * factor

    (problem,) = problems(native(tmp_path, trials_of(change=change)))
    assert problem.where == "trial t005"
    assert what in problem.what


def test_a_subject_in_another_unit_than_the_others_is_named(tmp_path: Path) -> None:
    """Millivolts among microvolts pass as very quiet microvolts."""

    def change(one: dict[str, Any], index: int) -> None:
        one["eeg"] = one["eeg"] * (1e-3 if index // 6 == 2 else 1)

    (problem,) = problems(native(tmp_path, trials_of(change=change)))
    assert problem.where == "subject s2"
    assert "microvolts, the median subject's has 20" in problem.what


# ------------------------------------------------------------------ 5: lengths


@pytest.mark.parametrize(("seconds", "interval_s"), [(11, 4.0), (9, 2.0), (0, 2.0), (-4, 2.0), (1, 2.0)])
def test_a_trial_is_a_whole_number_of_intervals(tmp_path: Path, seconds: int, interval_s: float) -> None:
    """11 s with intervals of 4 s read 12: the next trial's first second; 9 s with 2 s read 8."""
    mne_folder(tmp_path)
    manifest = tmp_path / "manifest.csv"
    manifest.write_text(manifest.read_text().replace(",4\n", f",{seconds}\n"))
    first = problems(tmp_path, interval_s=interval_s, **SMALL_FILM)[0]
    assert first.where == f"{manifest}:2"
    assert first.what == f"seconds is {seconds}, no whole number of intervals of {interval_s:g} s"


def test_eav_trials_are_a_whole_number_of_intervals(tmp_path: Path) -> None:
    assert "trials of 4 s are no whole number of intervals of 3 s" in said(eav(tmp_path), layout="eav", interval_s=3.0)


def test_trials_of_different_lengths_name_both(tmp_path: Path) -> None:
    mne_folder(tmp_path)
    edited(tmp_path / "manifest.csv", "film.mp4,6,4,4", "film.mp4,6,4,8")
    (problem,) = problems(tmp_path, **SMALL_FILM)
    assert (problem.where, problem.what) == (f"{tmp_path}/manifest.csv:3", "4 intervals, trial `s0_t0` has 2")


def test_the_same_eeg_under_two_names_is_named(tmp_path: Path) -> None:
    trials = trials_of()
    trials[17]["eeg"] = trials[2]["eeg"]
    (problem,) = problems(native(tmp_path, trials))
    assert (problem.where, problem.what) == ("trial t017", "its EEG is that of trial t002, to the last bit")
