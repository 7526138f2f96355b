"""Cross-validation of recorded trials: who is tested when, and that nobody is in two splits."""

from collections import Counter
from pathlib import Path

import pytest
from trial_folders import CPU, native, trials_of

from ablate.data import TrialsConfig
from ablate.data.trials.draw import places
from ablate.errors import AblateError


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five subjects with ten trials each, seven calm and three happy."""

    def imbalanced(one: dict, index: int) -> None:
        one["label"] = "happy" if index % 10 in (2, 5, 8) else "calm"

    return native(tmp_path_factory.mktemp("folds") / "trials", trials_of(5, 10, imbalanced))


def splits_of(folder: Path, **split: object):
    """Of every fold: split -> rows."""
    config = TrialsConfig(path=str(folder), split=split)
    folds = range(len(config.folds().names))
    return [config.in_fold(fold).rows_of(config.checked().table) for fold in folds]


KINDS = [{"type": "loso"}, {"type": "kfold", "folds": 2}, {"type": "kfold", "by": "trial", "folds": 5}]


@pytest.mark.parametrize("split", KINDS, ids=lambda split: f"{split['type']} {split.get('by', '')}")
def test_every_trial_is_tested_once_and_never_trained_on_there(folder: Path, split: dict) -> None:
    found = splits_of(folder, **split)
    assert Counter(row.trial_id for rows in found for row in rows["test"]) == {f"t{i:03d}": 1 for i in range(50)}
    by_subject = split.get("by", "subject") == "subject"
    for rows in found:
        held = {name: {row.subject if by_subject else row.trial_id for row in some} for name, some in rows.items()}
        assert all(held.values())
        assert sum(map(len, rows.values())) == 50
        assert not held["test"] & (held["train"] | held["validation"])
        assert not held["validation"] & held["train"]


def test_loso_names_its_folds_by_the_subject_that_each_tests(folder: Path) -> None:
    config = TrialsConfig(path=str(folder), split={"type": "loso"})
    assert config.folds().names == ("s0", "s1", "s2", "s3", "s4")
    tested = [{row.subject for row in rows["test"]} for rows in splits_of(folder, type="loso")]
    assert tested == [{name} for name in config.folds().names]


def test_folds_over_trials_hold_every_subject_and_class_in_proportion(folder: Path) -> None:
    for rows in splits_of(folder, type="kfold", by="trial", folds=5):
        counts = Counter((row.subject, row.label) for row in rows["test"])
        assert {subject for subject, _ in counts} == {"s0", "s1", "s2", "s3", "s4"}
        assert {sum(count for (who, _), count in counts.items() if who == f"s{k}") for k in range(5)} == {2}
        assert all(count <= (2 if label == "calm" else 1) for (_, label), count in counts.items())


def test_a_fold_is_the_same_whenever_it_is_asked_for(folder: Path) -> None:
    first, again = (splits_of(folder, type="kfold", by="trial", folds=3) for _ in range(2))
    names = [
        [{n: [r.trial_id for r in rows] for n, rows in fold.items()} for fold in found] for found in (first, again)
    ]
    assert names[0] == names[1]


def test_a_leak_is_refused(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A dealing that puts one trial of the tested subject into train stands for any mistake in it."""
    honest = places._in_fold

    def leaking(*asked):
        place = honest(*asked)
        place[next(trial for trial, split in place.items() if split == "test")] = "train"
        return place

    monkeypatch.setattr(places, "_in_fold", leaking)
    with pytest.raises(AblateError, match="1 subjects are in both train and test"):
        TrialsConfig(path=str(folder), split={"type": "loso"}).open(CPU)


@pytest.mark.parametrize(
    ("split", "said"),
    [
        ({"type": "loso", "by": "trial"}, "loso leaves out subjects"),
        ({"type": "kfold", "folds": 3, "fold": 3}, "fold 3 is not one of 3 folds"),
        ({"type": "kfold", "folds": 1}, "greater than or equal to 2"),
    ],
)
def test_folds_that_make_no_sense_are_refused(folder: Path, split: dict, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        TrialsConfig(path=str(folder), split=split)


@pytest.mark.parametrize(
    ("split", "said"),
    [
        ({"type": "kfold", "folds": 6}, "5 subjects are too few for these folds"),
        ({"type": "kfold", "by": "trial", "folds": 11}, "10 trials of s0 are too few for these folds"),
        ({"type": "loso", "fold": 5}, "fold 5 is not one of 5 folds"),
    ],
)
def test_more_folds_than_there_are_cases_are_refused(folder: Path, split: dict, said: str) -> None:
    with pytest.raises(AblateError, match=said):
        TrialsConfig(path=str(folder), split=split).open(CPU)
