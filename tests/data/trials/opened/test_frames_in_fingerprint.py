"""CASES 1: features, pixels or films rewritten under the same names left the fingerprint, so old scores were kept."""

import os
from pathlib import Path

import numpy as np
import pytest
from trial_folders import (
    SMALL_FILM,
    eav,
    edited,
    film,
    mne_folder,
    native,
    opened,
    seed_dv,
    trials_of,
    video,
)

from ablate.data.trials import TrialsConfig
from ablate.disk.stamp import stamp_of


def rewritten_npz(file: Path, name: str) -> None:
    with np.load(file) as arrays:
        kept = dict(arrays)
    kept[name] = kept[name] + np.ones((), dtype=kept[name].dtype)
    np.savez(file, **kept)


def test_native_features_are_in_the_fingerprint(tmp_path: Path) -> None:
    before = opened(native(tmp_path)).fingerprint
    assert opened(tmp_path).fingerprint == before
    rewritten_npz(tmp_path / "t007.npz", "features")
    assert opened(tmp_path).fingerprint != before


def test_native_pixels_are_in_the_fingerprint(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 200, (2, 3, 8, 6, 3), dtype=np.uint8)
    before = opened(native(tmp_path, trials_of(change=lambda one, _: video(one, pixels)))).fingerprint
    rewritten_npz(tmp_path / "t011.npz", "video")
    assert opened(tmp_path).fingerprint != before


def test_what_lies_in_the_pads_is_no_content(tmp_path: Path) -> None:
    def short(one: dict, _: int) -> None:
        one["frame_mask"][:, 2] = False

    trials = trials_of(change=short)
    before = opened(native(tmp_path, trials)).fingerprint
    trials[3]["features"][:, 2] = np.nan
    assert opened(native(tmp_path, trials)).fingerprint == before


def test_a_film_is_in_the_fingerprint(tmp_path: Path) -> None:
    before = opened(mne_folder(tmp_path), **SMALL_FILM).fingerprint
    film(tmp_path / "film.mp4", [5 * (index // 20) + 40 for index in range(400)])
    assert opened(tmp_path, **SMALL_FILM).fingerprint != before


def test_the_stretch_of_a_film_is_in_the_fingerprint(tmp_path: Path) -> None:
    before = opened(mne_folder(tmp_path), **SMALL_FILM).fingerprint
    manifest = tmp_path / "manifest.csv"
    manifest.write_text(manifest.read_text().replace("film.mp4,6,4,4", "film.mp4,6,8,4"))
    assert opened(tmp_path, **SMALL_FILM).fingerprint != before


def test_eav_features_are_in_the_fingerprint(tmp_path: Path) -> None:
    before = opened(eav(tmp_path), layout="eav").fingerprint
    rewritten_npz(tmp_path / "subject1" / "EEG" / "subject1_features.npz", "features")
    assert opened(tmp_path, layout="eav").fingerprint != before


def test_seed_dv_features_are_in_the_fingerprint(tmp_path: Path) -> None:
    before = opened(seed_dv(tmp_path), layout="seed_dv").fingerprint
    features = np.load(tmp_path / "features.npy")
    features[1, 2, 3] += 1
    np.save(tmp_path / "features.npy", features)
    assert opened(tmp_path, layout="seed_dv").fingerprint != before


def test_a_file_outside_of_the_folder_is_watched_too(tmp_path: Path) -> None:
    """The quick look at names, sizes and times (`stamp_of`) saw only the folder itself."""
    folder = native(tmp_path / "study")
    outside = tmp_path / "elsewhere.npz"
    os.rename(folder / "t003.npz", outside)
    manifest = folder / "manifest.csv"
    manifest.write_text(manifest.read_text().replace("t003.npz", "../elsewhere.npz"))
    config = TrialsConfig(path=str(folder))
    assert [Path(one).name for one in config.sources()] == ["study", "elsewhere.npz"]
    before, fingerprint = stamp_of(config.sources()), opened(folder).fingerprint
    rewritten_npz(outside, "features")
    assert stamp_of(config.sources()) != before
    assert opened(folder).fingerprint != fingerprint


@pytest.mark.parametrize("share", [0.25, 0.5])
def test_a_share_of_the_trials_has_a_fingerprint_of_its_own(tmp_path: Path, share: float) -> None:
    native(tmp_path)
    assert opened(tmp_path, fraction=share).fingerprint != opened(tmp_path).fingerprint


def test_a_hidden_file_of_the_folder_is_watched_too(tmp_path: Path) -> None:
    """What the manifest names is read whatever its name; a walk through the folder passes it over."""
    folder = native(tmp_path)
    (folder / ".eeg").mkdir()
    os.rename(folder / "t003.npz", folder / ".eeg" / "t003.npz")
    edited(folder / "manifest.csv", "t003.npz,t003.npz", ".eeg/t003.npz,.eeg/t003.npz")
    sources = TrialsConfig(path=str(folder)).sources()
    before = stamp_of(sources)
    rewritten_npz(folder / ".eeg" / "t003.npz", "features")
    assert stamp_of(sources) != before


def test_ratings_outside_of_the_folder_that_change_while_python_runs_are_read_again(tmp_path: Path) -> None:
    """The table was kept while the folder itself was untouched: the numbers to learn were those of before."""
    folder = native(tmp_path / "study")
    manifest = folder / "manifest.csv"
    head, *lines = manifest.read_text().splitlines()
    ratings = [f"../r{index}.csv" for index in range(len(lines))]
    told = [f"{line},{file}" for line, file in zip(lines, ratings, strict=True)]
    manifest.write_text("\n".join([f"{head},ratings", *told]) + "\n")
    for index, file in enumerate(ratings):
        (folder / file).write_text(f"t,valence\n0,{index}\n2,{index / 2}\n")
    before = opened(folder, targets=("valence",))
    (folder / "../r5.csv").write_text("t,valence\n0,70\n2,80\n")
    after = opened(folder, targets=("valence",))
    assert max(split.labels.max() for split in after.splits.values()) == 80
    assert after.fingerprint != before.fingerprint


def test_a_trial_that_the_first_fold_leaves_out_is_in_the_fingerprint_of_all_folds(tmp_path: Path) -> None:
    """A fold's key holds the fingerprint of the data as a whole; they were those of the first fold."""
    options = {"split": {"type": "loso"}, "most_trials": 4}
    before = opened(native(tmp_path), **options)
    assert opened(tmp_path, **options).fingerprint == before.fingerprint
    dealt = {trial for split in before.splits.values() for trial in split.trial_ids}
    left = next(f"t{index:03d}" for index in range(24) if f"t{index:03d}" not in dealt)
    folds = (opened(tmp_path, **{**options, "split": {"type": "loso", "fold": fold}}) for fold in range(1, 4))
    assert any(left in split.trial_ids for fold in folds for split in fold.splits.values())
    for name in ("eeg", "features"):
        fingerprint = opened(tmp_path, **options).fingerprint
        rewritten_npz(tmp_path / f"{left}.npz", name)
        assert opened(tmp_path, **options).fingerprint != fingerprint


VHDR = """\
Brain Vision Data Exchange Header File Version 1.0
[Common Infos]
DataFile=one.eeg
DataFormat=BINARY
DataOrientation=MULTIPLEXED
NumberOfChannels=2
SamplingInterval=10000
[Binary Infos]
BinaryFormat=INT_16
[Channel Infos]
Ch1=Fz,,0.1,uV
Ch2=Cz,,0.1,uV
"""


def test_the_file_of_numbers_beside_a_header_outside_of_the_folder_is_watched_too(tmp_path: Path) -> None:
    """BrainVision's .vhdr and the .set of EEGLAB name another file; the manifest names the header alone."""
    pytest.importorskip("mne", reason="needs the extra [eeg]")
    folder, eeg = tmp_path / "study", tmp_path / "eeg"
    folder.mkdir()
    eeg.mkdir()
    (eeg / "one.vhdr").write_text(VHDR)
    numbers = np.random.default_rng(0).integers(-300, 300, (6000, 2), dtype=np.int16)
    numbers.tofile(eeg / "one.eeg")
    lines = [f"t{n},s0,{'ab'[n % 2]},../eeg/one.vhdr,,{4 * n},,4" for n in range(14)]
    head = "trial_id,subject,label,eeg,video,t0_eeg_s,t0_video_s,seconds"
    (folder / "manifest.csv").write_text("\n".join([head, *lines]) + "\n")
    sources = TrialsConfig(path=str(folder), layout="mne", most_absent=1).sources()
    before = stamp_of(sources)
    numbers[::-1].tofile(eeg / "one.eeg")
    assert stamp_of(sources) != before
