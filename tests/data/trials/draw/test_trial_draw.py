"""CASES 6: a share of the trials, `most_trials` and rehearsals took the first subjects only: [6, 6, 0, 0]."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some
from trial_folders import CPU, native, opened, trials_of

from ablate.data.trials import TrialsConfig
from ablate.data.trials.draw.order import first_of_all, in_turn
from ablate.data.trials.opened.dataset import TrialDataset


def subjects(data: TrialDataset, split: str = "train") -> list[int]:
    return np.bincount(data.splits[split].session, minlength=4).tolist()


def test_a_share_is_drawn_within_every_subject(tmp_path: Path) -> None:
    native(tmp_path, trials_of(each=20))
    assert subjects(opened(tmp_path)) == [13, 13, 13, 13]
    assert sorted(subjects(opened(tmp_path, fraction=0.5))) == [6, 6, 7, 7]
    assert subjects(opened(tmp_path, fraction=0.01)) == [1, 1, 1, 1]


@pytest.mark.parametrize("most", [8, 12])
def test_most_trials_are_drawn_within_every_subject(tmp_path: Path, most: int) -> None:
    native(tmp_path, trials_of(each=20))
    data = opened(tmp_path, most_trials=most)
    assert subjects(data) == subjects(data, "test") == [most // 4] * 4


def test_a_rehearsal_meets_every_subject_and_class(tmp_path: Path) -> None:
    data = TrialsConfig(path=str(native(tmp_path, trials_of(each=20)))).rehearsal().open(CPU)
    for name in ("train", "validation", "test"):
        assert subjects(data, name) == [2, 2, 2, 2]
        assert min(Counter(data.splits[name].labels[:, 0].tolist()).values()) >= 2


def test_smaller_shares_are_part_of_larger_ones(tmp_path: Path) -> None:
    native(tmp_path, trials_of(each=20))
    held = [set(opened(tmp_path, fraction=share).splits["train"].trial_ids) for share in (0.1, 0.3, 0.7, 1.0)]
    assert [len(ids) for ids in held] == [5, 16, 36, 52]
    assert held[0] < held[1] < held[2] < held[3]


def test_rare_classes_are_in_every_split_in_proportion(tmp_path: Path) -> None:
    """Drawn without regard to the label, a class of a tenth was missing from a third of the test splits."""
    trials = trials_of(subjects=2, each=40)
    for index, one in enumerate(trials):
        one["label"] = "rare" if index % 10 == 0 else "common"
    native(tmp_path, trials)
    for seed in range(6):
        splits = opened(tmp_path, split_seed=seed).splits
        counts = {name: np.bincount(split.labels[:, 0], minlength=2).tolist() for name, split in splits.items()}
        rare = {name: count[1] for name, count in counts.items()}
        assert sum(rare.values()) == 8
        assert 1 <= rare["test"] <= 3
        assert rare["train"] >= 4


def test_a_class_of_few_subjects_is_tested_all_the_same(tmp_path: Path) -> None:
    """Born of a fault: five classes of 32, 8, 4, 4 and 2 were tested on two of them, and `balanced accuracy` was .5."""
    labels = np.random.default_rng(0).permutation(np.repeat(list("abcde"), (32, 8, 4, 4, 2)))
    trials = trials_of(subjects=5, each=10, change=lambda one, index: one.update(label=str(labels[index])))
    config = TrialsConfig(path=str(native(tmp_path, trials)))
    table, held = config.read_table(), Counter[str]()
    for seed in range(40):
        rows = config.changed(split_seed=seed).rows_of(table)
        assert {name: len(own) for name, own in rows.items()} == {"train": 30, "validation": 10, "test": 10}
        held.update({row.label for row in rows["test"]})
        assert {row.label for row in rows["train"]} == set("abcde")
    assert min(held["a"], held["b"]) >= 38
    assert min(held["c"], held["d"]) >= 32  # drawn one by one, 25 of 40


def test_a_split_without_a_class_is_told(tmp_path: Path) -> None:
    trials = trials_of(change=lambda one, index: one.update(label="rare" if index in (3, 9) else one["label"]))
    data = opened(native(tmp_path, trials))
    missing = [name for name, split in data.splits.items() if 2 not in split.labels]
    assert missing  # two trials cannot be in three splits
    for name in missing:
        assert any(notice.startswith(f"the {name} split holds no `rare`: ") for notice in data.notices)


@given(some.lists(some.integers(0, 4), min_size=1, max_size=60))
def test_any_first_part_holds_every_group_in_proportion(groups: list[int]) -> None:
    order = in_turn(range(len(groups)), lambda index: groups[index])
    assert sorted(order) == list(range(len(groups)))
    sizes, seen = Counter(groups), Counter[int]()
    for taken, index in enumerate(order, start=1):
        seen[groups[index]] += 1
        for group, size in sizes.items():
            assert abs(seen[group] - taken * size / len(groups)) <= len(sizes)


def test_groups_of_one_size_that_take_turns_already_stay_as_they_are() -> None:
    """Made trials are dealt to the subjects in turn: no share of them may change, since their runs are kept."""
    for count in (7, 50, 800):
        rows = list(range(count))
        for kept in (max(4, count // 4), count // 2 + 3):
            assert first_of_all(rows, kept, lambda row: row % 4) == rows[:kept]
