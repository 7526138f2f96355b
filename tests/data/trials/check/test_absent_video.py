"""CASES 8: a film shorter than its trials and `t0_video_s` in milliseconds left 18 of 24 trials without a frame."""

from pathlib import Path
from typing import Any

from trial_folders import SMALL_FILM, eav, edited, film, mne_folder, native, opened, problems, said, trials_of


def test_a_film_shorter_than_its_trials_is_counted_and_refused(tmp_path: Path) -> None:
    mne_folder(tmp_path)
    film(tmp_path / "film.mp4", [100] * 100)  # 10 of 32 s
    (problem,) = problems(tmp_path, **SMALL_FILM)
    assert problem.what == (
        "22 of 32 intervals have no frame (69 %): 10 of 16 trials have none at all, 0 of them name no video, "
        "10 name one that does not show them (the first: s0_t3), more than `most_absent` 0.25 allows"
    )
    assert "are t0_video_s seconds in the film" in problem.hint


def test_milliseconds_are_refused(tmp_path: Path) -> None:
    manifest = mne_folder(tmp_path) / "manifest.csv"
    for start in range(4, 32, 4):
        manifest.write_text(manifest.read_text().replace(f",{start},4\n", f",{start}000,4\n"))
    assert "14 of 16 trials have none at all" in said(tmp_path, **SMALL_FILM)


def test_a_little_absent_video_is_a_notice(tmp_path: Path) -> None:
    mne_folder(tmp_path)
    edited(tmp_path / "manifest.csv", "film.mp4", "")
    (notice,) = opened(tmp_path, **SMALL_FILM).notices
    assert notice == ("2 of 32 intervals have no frame (6 %): 1 of 16 trials have none at all, 1 of them name no video")


def test_the_recipe_says_how_much_may_be_absent(tmp_path: Path) -> None:
    mne_folder(tmp_path)
    film(tmp_path / "film.mp4", [100] * 100)
    assert opened(tmp_path, most_absent=0.7, **SMALL_FILM).spec.frames == 4
    assert "more than `most_absent` 0.5 allows" in said(tmp_path, most_absent=0.5, **SMALL_FILM)


def test_native_frames_that_are_all_masked_are_absent(tmp_path: Path) -> None:
    def hidden(one: dict[str, Any], index: int) -> None:
        one["frame_mask"][:] = index % 2 == 0

    assert "24 of 48 intervals have no frame (50 %)" in said(native(tmp_path, trials_of(change=hidden)))


def test_eeg_alone_is_said_and_not_guessed(tmp_path: Path) -> None:
    eav(tmp_path)
    (tmp_path / "subject1" / "EEG" / "subject1_features.npz").unlink()
    assert "20 of 20 trials have none at all, 20 of them name no video" in said(tmp_path, layout="eav")
    assert opened(tmp_path, layout="eav", most_absent=1.0).spec.classes == 5


def test_video_without_notice_when_all_of_it_is_there(tmp_path: Path) -> None:
    assert opened(mne_folder(tmp_path), **SMALL_FILM).notices == ()
