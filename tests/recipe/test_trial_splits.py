"""`data.split` of trials: a plain word, or folds; what is neither is refused with all that may stand there."""

from pathlib import Path

import pytest

from ablate.data.trials.draw.folds import FoldsConfig
from ablate.errors import AblateError
from ablate.recipe import load_recipe
from ablate.variant import lay_out

RECIPE = """\
name: splits
question: none
data: {{type: trials, path: films, split: {split}}}
baseline: {{type: fusion}}
patches:
  other: {{title: another split, data: {{split: {patch}}}}}
variants: [each]
"""


def splits_of(tmp_path: Path, split: str, patch: str) -> dict[str, object]:
    file = tmp_path / "splits.yaml"
    file.write_text(RECIPE.format(split=split, patch=patch))
    return {variant.name: variant.configuration.data.split for variant in lay_out(load_recipe(file)).variants}


@pytest.mark.parametrize("word", ["trial", "subject"])
def test_a_plain_word_is_a_single_split(tmp_path: Path, word: str) -> None:
    """It was read as `{type: trial}`, no type of folds, once there were folds."""
    other = {"trial": "subject", "subject": "trial"}[word]
    found = splits_of(tmp_path, word, other)
    assert (found["baseline"], found["other"]) == (word, other)


def test_folds_and_words_may_take_each_others_place(tmp_path: Path) -> None:
    found = splits_of(tmp_path, "{type: kfold, by: trial, folds: 4}", "subject")
    assert (found["baseline"], found["other"]) == (FoldsConfig(type="kfold", by="trial", folds=4), "subject")
    found = splits_of(tmp_path, "trial", "loso")
    assert (found["baseline"], found["other"]) == ("trial", FoldsConfig(type="loso"))


def test_a_word_that_is_neither_is_refused_with_all_that_may_stand_there(tmp_path: Path) -> None:
    with pytest.raises(AblateError) as raised:
        splits_of(tmp_path, "session", "loso")
    assert raised.value.problems[0].what == "`data.split.type` is `session`, which is no type of split"
    assert raised.value.problems[0].hint == "known types: trial, subject, loso, kfold"
