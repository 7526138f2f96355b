"""Every recipe that is shipped loads, expands, and opens with its question, expectation and cost."""

from pathlib import Path

import pytest

from ablate.recipe import load_recipe
from ablate.variant import lay_out

RECIPES = sorted((Path(__file__).resolve().parents[2] / "recipes").glob("*.yaml"))


def test_there_are_recipes():
    assert {"quickstart.yaml", "vivit_fixes.yaml", "audit.yaml", "retina.yaml", "v1_bars.yaml"} <= {
        path.name for path in RECIPES
    }


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_a_shipped_recipe_loads_and_expands(path):
    recipe = load_recipe(path)
    variants = lay_out(recipe).variants
    assert recipe.name == path.stem
    assert recipe.question
    assert variants[0].role == "baseline"
    assert len(variants) > 1


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_a_shipped_recipe_opens_with_question_expectation_and_cost(path):
    head = [line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("#")]
    words = [line.split()[1] for line in head if len(line.split()) > 1]
    assert [word for word in words if word in ("Question", "Expectation", "Cost")] == [
        "Question",
        "Expectation",
        "Cost",
    ]


def test_the_notes_study_is_the_notes_own():
    recipe = load_recipe(next(path for path in RECIPES if path.stem == "vivit_fixes"))
    named = {variant.name: variant for variant in lay_out(recipe).variants}
    alone = {"p1", "p2", "p3", "p4", "issue6", "hybrid"}
    assert alone | {"p1+p2", "p1+p2+p3", "p1+p2+p3+p4", "resnet", "glm", "reseed"} <= set(named)
    assert named["p1+p2+p3+p4"].expect == (0.07, 0.1)
    assert recipe.seeds == (0, 1, 2)
    assert recipe.data.describe().window == 300
    assert len(recipe.data.describe().sessions) == 30
