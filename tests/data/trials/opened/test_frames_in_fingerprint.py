"""CASES 1: features, pixels or films rewritten under the same names left the fingerprint, so old scores were kept."""

import os
from pathlib import Path

import numpy as np
import pytest
from trial_folders import (
    SMALL_FILM,
    eav,
    film,
    mne_folder,
    native,
    opened,
    seed_dv,
    trials_of,
    video,
)


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
    from ablate.data.trials import TrialsConfig
    from ablate.disk.stamp import stamp_of

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
