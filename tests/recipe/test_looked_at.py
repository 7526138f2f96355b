"""`looked_at:` in a recipe: seeds that chose something before the study."""

import pytest

from ablate.errors import AblateError
from ablate.recipe.load import read_recipe
from ablate.result.manifest import LookedAt, StudyManifest, VariantEntry
from ablate.study.setup.merge import merge_manifests
from ablate.study.setup.seeds import schedule_of, seen_before

RECIPE = "data: {type: synthetic_v1}\nbaseline: {core: {type: vivit}}\n"
NAMED = "looked_at: {seeds: [0, 1, 2], why: the regime was chosen on them}\n"


def read(text: str):
    return read_recipe(RECIPE + text, "r.yaml")


def test_the_seeds_and_what_they_chose_are_read():
    assert read("").looked_at is None
    assert read(NAMED).looked_at == LookedAt(seeds=(0, 1, 2), why="the regime was chosen on them")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("looked_at: [0, 1]\n", "r.yaml:3: `looked_at` is [0, 1], expected a mapping"),
        ("looked_at: {seeds: [0]}\n", "r.yaml:3: `looked_at` says no `why`"),
        ("looked_at: {why: it was tuned}\n", "r.yaml:3: `looked_at` says no `seeds`"),
        ("looked_at: {seeds: 0-2, why: x}\n", "`looked_at.seeds` is the text `0-2`, expected a list of whole numbers"),
        ("looked_at: {seeds: [0], why: x, who: me}\n", "unknown key `looked_at.who`"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(text, problem):
    with pytest.raises(AblateError) as caught:
        read(text)
    assert problem in str(caught.value)


def test_a_study_on_such_seeds_is_told_before_it_trains():
    recipe = read(NAMED)
    assert seen_before(recipe, (10, 11)) == []
    (notice,) = seen_before(recipe, (1, 2, 3))
    assert notice.what == "the study uses seeds 1-2, looked at before (the regime was chosen on them)"


def test_a_study_that_buys_seeds_itself_passes_them_over():
    assert schedule_of((10, 11), taken=(0, 1, 2)).seeds == (10, 11, 3, 4, 5, 6, 7, 8, 9, 12, 13, 14)


def test_what_was_looked_at_stays_looked_at_when_the_recipe_forgets_it():
    plain = {"name": "s", "question": "", "seeds": (0,), "variants": (VariantEntry(name="baseline", role="baseline"),)}
    named = StudyManifest(**plain, looked_at=LookedAt(seeds=(0, 1), why="a"))
    more = StudyManifest(**plain, looked_at=LookedAt(seeds=(1, 2), why="b"))
    assert merge_manifests(named, StudyManifest(**plain), accept=False).looked_at == named.looked_at
    assert merge_manifests(named, more, accept=False).looked_at == LookedAt(seeds=(0, 1, 2), why="b")
