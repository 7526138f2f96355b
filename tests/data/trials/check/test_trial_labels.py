"""CASES 7: 16 valences were 16 classes, an empty label was a class, and so were `left ` and `left`."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat
from trial_folders import eav, native, opened, problems, said, seed_dv, trials_of


def labelled(folder: Path, label: Callable[[int], str]) -> Path:
    return native(folder, trials_of(change=lambda one, index: one.update(label=label(index))))


def test_sixteen_valences_are_a_question(tmp_path: Path) -> None:
    (problem,) = problems(labelled(tmp_path, lambda index: f"{1 + (index % 16) * 0.5}"))
    assert problem.where == str(tmp_path / "manifest.csv")
    assert problem.what == "16 different numbers as labels (1.0 to 8.5) of 24 trials"
    assert problem.hint.startswith("is regression meant?")


@pytest.mark.parametrize(
    ("label", "refused"),
    [
        (lambda index: str(index % 4), False),  # four tasks by their number
        (lambda index: str(1 + index % 9), False),  # a rating of 1 to 9
        (lambda index: str(index), True),  # a number for each trial
        (lambda index: f"{(index % 3) / 2}", True),  # three valences, but one of them is 0.5
        (lambda index: f"-{index % 14}e-1", True),
    ],
)
def test_whole_numbers_are_classes_while_they_are_few(
    tmp_path: Path, label: Callable[[int], str], refused: bool
) -> None:
    labelled(tmp_path, label)
    if refused:
        assert "is regression meant?" in said(tmp_path)
    else:
        assert opened(tmp_path).spec.classes == len({label(index) for index in range(24)})


def test_numbers_are_classes_where_the_recipe_says_so(tmp_path: Path) -> None:
    labelled(tmp_path, lambda index: f"{(index % 6) * 0.5}")
    assert opened(tmp_path, numbers_are_classes=True).spec.classes == 6


def test_an_empty_label_is_refused_with_its_line(tmp_path: Path) -> None:
    labelled(tmp_path, lambda index: "  " if index in (3, 8) else ["left", "right"][index % 2])
    assert [(one.where, one.what) for one in problems(tmp_path)] == [
        (f"{tmp_path}/manifest.csv:5", "a trial without label"),
        (f"{tmp_path}/manifest.csv:10", "a trial without label"),
    ]


def test_spaces_around_a_label_are_no_class(tmp_path: Path) -> None:
    labelled(tmp_path, lambda index: ["left", "left ", "right", "\tright"][index % 4])
    assert opened(tmp_path).spec.classes == 2


@pytest.mark.parametrize("pair", [("left", "Left"), ("1", "1.0"), ("far left", "far  left")])
def test_one_class_written_in_two_ways_is_named(tmp_path: Path, pair: tuple[str, str]) -> None:
    labelled(tmp_path, lambda index: "other" if index % 2 else pair[index % 4 // 2])
    (problem,) = problems(tmp_path)
    assert f"`{pair[0]}` (6 trials)" in problem.what
    assert f"`{pair[1]}` (6 trials)" in problem.what


def test_labels_that_tell_nothing_apart_are_refused(tmp_path: Path) -> None:
    assert "all 24 trials have the label `calm`" in said(labelled(tmp_path, lambda _: "calm"))
    assert "each of 24 trials has a label of its own, as `clip_0`" in said(
        labelled(tmp_path, lambda index: f"clip_{index}")
    )


def test_subjects_and_names_are_stripped_too(tmp_path: Path) -> None:
    native(tmp_path, trials_of(change=lambda one, index: one.update(subject=f"s{index % 4}{' ' * (index % 3)}")))
    assert opened(tmp_path).spec.session_names == ("s0", "s1", "s2", "s3")


def test_an_eav_trial_of_no_class_is_refused(tmp_path: Path) -> None:
    """`argmax` of a column of zeros made it class 0."""
    eav(tmp_path)
    labels = np.eye(5)[:, np.arange(20) % 5]
    labels[:, [4, 7]] = 0
    savemat(tmp_path / "subject1" / "EEG" / "subject1_eeg_label.mat", {"label": labels})
    assert "2 trials are of no class or of several (the first: trial 4)" in said(tmp_path, layout="eav")
    savemat(tmp_path / "subject1" / "EEG" / "subject1_eeg_label.mat", {"label": labels.T})
    assert "`label` of shape (20, 5) and type float64 for 20 trials" in said(tmp_path, layout="eav")


def test_seed_dv_concepts_are_whole_numbers(tmp_path: Path) -> None:
    labels = np.load(seed_dv(tmp_path) / "All_video_label.npy") + 0.5
    np.save(tmp_path / "All_video_label.npy", labels)
    assert "expected whole numbers (7, 40)" in said(tmp_path, layout="seed_dv")
