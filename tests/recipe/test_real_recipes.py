"""The recipes on real recordings: they load anywhere, and keep their promise where the recordings are."""

from pathlib import Path

import numpy as np
import pytest
import torch

from ablate.recipe import Configuration, load_recipe
from ablate.training import evaluate, fit, seeded, stream_seed
from ablate.variant import lay_out

ROOT = Path(__file__).parents[2]
RECORDINGS = ROOT.parent / "shared" / "data"
CPU = torch.device("cpu")
RECIPES = {"retina": "retina_flicker", "v1_bars": "v1_bars", "lgn": "lgn_flicker"}


def sets(name: str, *more: str) -> list[str]:
    return [f"data.path={RECORDINGS / RECIPES[name]}", *more]


def recipe_of(name: str, *more: str):
    return load_recipe(ROOT / "recipes" / f"{name}.yaml", sets=sets(name, *more))


def configurations(name: str, *more: str) -> dict[str, Configuration]:
    return {variant.name: variant.configuration for variant in lay_out(recipe_of(name, *more)).variants}


def needs(name: str) -> None:
    if not (RECORDINGS / RECIPES[name]).is_dir():
        pytest.skip(f"the recording {RECIPES[name]} is not here")


def unit_scores(configuration: Configuration) -> np.ndarray:
    """Bits/spike of each unit of the test split after training with seed 0."""
    data = configuration.data.open(CPU)
    with seeded(stream_seed(0, "init", 0)):
        model = configuration.model.build(data.spec)
    result = fit(model, data, configuration.training, seed=0, device=CPU)
    _, table = evaluate(result.model, data, "test", batch_size=16, device=CPU)
    return table.values(table.sessions[0])


@pytest.mark.parametrize("name", RECIPES)
def test_a_recipe_on_real_recordings_opens_with_what_it_asks_expects_and_costs(name):
    recipe = recipe_of(name)
    assert recipe.question
    assert recipe.expectation
    assert recipe.cost
    assert len(recipe.seeds) >= 3
    assert recipe.looked_at, "the settings were chosen on some seed"
    roles = [variant.role for variant in lay_out(recipe).variants]
    assert (roles.count("baseline"), roles.count("reference"), roles.count("control")) == (1, 1, 1)


@pytest.mark.real
@pytest.mark.parametrize("name", RECIPES)
def test_every_variant_scores_the_same_bins_of_a_real_recording(name):
    needs(name)
    hashes = {
        configuration.data.open(CPU).scored_hash("test")
        for configuration in {item.data.model_dump_json(): item for item in configurations(name).values()}.values()
    }
    assert len(hashes) == 1


@pytest.mark.real
def test_the_linear_reference_of_the_retina_with_exp_as_its_link_is_the_glm_that_others_fit():
    """Newton's method on 25 lags, the last fifth held out, gives 1.37, 1.26, 1.12 and 1.63 bits/spike."""
    needs("retina")
    recipe = recipe_of("retina", "references.glm.model.link=exp")
    glm = {variant.name: variant.configuration for variant in lay_out(recipe).variants}["glm"]
    assert unit_scores(glm) == pytest.approx([1.37, 1.26, 1.12, 1.63], abs=0.02)


@pytest.mark.real
@pytest.mark.slow
def test_the_retina_model_beats_the_glm_on_every_unit():
    needs("retina")
    found = configurations("retina", "training.steps=150", "training.evaluate_every=75")
    assert (unit_scores(found["baseline"]) > unit_scores(found["glm"]) + 0.1).all()


@pytest.mark.real
@pytest.mark.slow
def test_the_bars_model_beats_a_quadratic_one_and_the_linear_one_falls_short_of_it():
    """Complex cells dominate: a quadratic model has a median of 0.10 bits/spike over the units, a linear one 0.03."""
    needs("v1_bars")
    found = configurations("v1_bars")
    assert np.median(unit_scores(found["glm"])) < 0.05
    assert np.median(unit_scores(found["baseline"])) > 0.10
