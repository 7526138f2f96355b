"""Every fusion study shows its controls without being asked."""

import pytest

from ablate.recipe import read_recipe
from ablate.variant import lay_out

BASE = "data: {type: coincidence}\nbaseline: {type: fusion}\n"
NAMES = ["eeg_alone", "video_alone", "shuffled_pairs", "mask_shifted"]


def test_models_that_must_fail_are_references_and_poisoned_pads_a_control() -> None:
    recipe = read_recipe(BASE + "variants: [each]\n", "x.yaml")
    assert list(recipe.references) == NAMES
    roles = {variant.name: variant.role for variant in lay_out(recipe).variants}
    assert roles == {"baseline": "baseline", **dict.fromkeys(NAMES, "reference"), "poisoned_pads": "control"}


def test_each_changes_what_it_says() -> None:
    found = {v.name: v.configuration for v in lay_out(read_recipe(BASE + "variants: [each]\n", "x.yaml")).variants}
    assert found["eeg_alone"].model.fusion.type == "none"
    assert found["video_alone"].model.eeg.type == "none"
    assert found["shuffled_pairs"].data.shuffle_pairs
    assert found["mask_shifted"].model.fusion.mask == "shift"
    assert found["mask_shifted"].model.fusion.type == "gated_cross_attention"
    assert found["poisoned_pads"].data.poison_pads


@pytest.mark.parametrize(
    ("fusion", "expected"),
    [("none", ["video_alone"]), ("late", NAMES[:3]), ("concat", NAMES[:3]), ("cross_attention", NAMES)],
)
def test_a_control_that_the_baseline_cannot_have_is_left_out(fusion: str, expected: list[str]) -> None:
    recipe = read_recipe(
        f"data: {{type: coincidence}}\nbaseline: {{type: fusion, fusion: {{type: {fusion}}}}}\n", "x.yaml"
    )
    assert list(recipe.references) == expected


def test_a_patch_of_the_recipes_own_that_says_the_same_is_not_doubled() -> None:
    text = BASE + "patches:\n  alone:\n    fusion: {type: none}\n  mask_shifted:\n    fusion: {mask: past}\n"
    recipe = read_recipe(text, "x.yaml")
    assert list(recipe.references) == ["video_alone", "shuffled_pairs"]
    assert list(recipe.patches) == ["alone", "mask_shifted", "poisoned_pads"]


def test_other_studies_have_none_of_them_and_a_recipe_can_switch_them_off() -> None:
    encoding = read_recipe("data: {type: synthetic_v1}\nbaseline: {type: encoder}\n", "x.yaml")
    assert not set(NAMES) & set(encoding.references)
    assert not read_recipe(BASE + "controls: false\n", "x.yaml").references
