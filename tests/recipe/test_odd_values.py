"""Values that no recipe means: numbers beyond reason, invisible characters, tabs, seeds in quotation marks. Each is one
message, at once."""

import pytest
from tiny_study import recipe_text

from ablate.errors import AblateError
from ablate.recipe.load import read_recipe
from ablate.request import parse_seeds


def refused(**sections: str) -> list[str]:
    with pytest.raises(AblateError) as caught:
        read_recipe(recipe_text(**sections), "r.yaml")
    return [problem.what for problem in caught.value.problems]


@pytest.mark.parametrize(
    "number", ["1e30", "9" * 5000, "9" * 401, "0x" + "f" * 5000, "0o" + "7" * 3000, str(2**53 + 1)]
)
def test_a_whole_number_beyond_reason_is_refused_where_it_stands(number: str) -> None:
    assert "this number is too large" in refused(training=f"training: {{steps: {number}}}\n")
    assert "this number is too large" in refused(tail=f"seeds: [{number}]\n")


@pytest.mark.parametrize("width", ["1e9", "100_000", "16385"])
def test_a_width_beyond_reason_is_refused_before_a_model_is_built(width: str) -> None:
    frontend = f"frontend: {{type: learnable_temporal, channels: {width}}}"
    text = recipe_text(baseline=f"baseline: {{type: encoder, {frontend}}}\n")
    with pytest.raises(AblateError, match=r"`baseline\.frontend\.channels` is"):
        read_recipe(text, "r.yaml")


@pytest.mark.parametrize("seeds", ["9" * 5000, "0-" + "9" * 401, "²", "0-²", "٣", "1" * 10, "-1", "1-", "1e3"])
def test_seeds_that_are_none_are_one_short_message(seeds: str) -> None:
    with pytest.raises(AblateError, match="is no seed") as caught:
        parse_seeds(seeds)
    assert len(str(caught.value)) < 200


@pytest.mark.parametrize("seeds", ["0-999999999", "0-10000", ",".join(f"{i}-{i + 99}" for i in range(0, 90_000, 100))])
def test_more_seeds_than_anybody_trains_are_refused_without_listing_them(seeds: str) -> None:
    with pytest.raises(AblateError, match="more than 10000 seeds"):
        parse_seeds(seeds)
    assert len(parse_seeds("0-9999")) == 10_000


def test_seeds_in_quotation_marks_are_shown_with_them() -> None:
    what = '`seeds` is ["0", "1"], a list of texts, expected a list of whole numbers'
    assert refused(tail='seeds: ["0", "1"]\n') == [what]
    assert refused(tail="seeds: ['a']\n") == ['`seeds` is ["a"], a list of texts, expected a list of whole numbers']


@pytest.mark.parametrize(
    ("training", "name"),
    [
        ("training:\n  steps\u00a0: 6\n  warmup_steps: 1\n", "U+00A0"),
        ("training:\n  st\u200beps: 6\n  warmup_steps: 1\n", "U+200B"),
        ("training: {steps\u2009: 6, warmup_steps: 1}\n", "U+2009"),
    ],
)
def test_a_key_with_a_character_that_cannot_be_seen_is_named(training: str, name: str) -> None:
    assert refused(training=training) == [f"the key `steps` holds a character that cannot be seen ({name})"]


@pytest.mark.parametrize("gap", ["\t", "\t\t", "\t "])
def test_a_tab_after_a_colon_is_a_space(gap: str) -> None:
    recipe = read_recipe(
        recipe_text(tail=f"seeds:{gap}[0, 3]\n", training=f"training:\n  steps:{gap}6\n  warmup_steps: 1\n"), "r.yaml"
    )
    assert recipe.seeds == (0, 3)
    assert recipe.training.steps == 6


def test_a_tab_in_a_text_stays() -> None:
    assert read_recipe(recipe_text() + 'expectation: "a:\tb"\n', "r.yaml").expectation == "a:\tb"
