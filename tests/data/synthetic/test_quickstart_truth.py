"""What quickstart's recipe says of its world is worked out here from the true rates."""

from pathlib import Path

import numpy as np
import pytest

from ablate.data.synthetic.behavior import behavior_columns
from ablate.data.synthetic.eye import eye_position
from ablate.data.synthetic.movie import make_movie
from ablate.data.synthetic.units import make_units, world_rates
from ablate.recipe import load_recipe

RECIPE = Path(__file__).resolve().parents[3] / "recipes" / "quickstart.yaml"
BASELINE = 0.541  # bits/spike on validation: K8-lr8-300 of results/quickstart/regime.md


def expected_bits(rates: np.ndarray, model: np.ndarray) -> float:
    """Mean over units of the expected score of a model's rates, spikes being Poisson with the true rates."""
    null = rates.mean(0)
    gain = (rates * np.log(model / null) - model + null).sum(0)
    return float((gain / np.log(2) / rates.sum(0)).mean())


def test_the_truth_loses_what_the_recipe_says_without_behaviour_and_its_control_expects_that():
    recipe = load_recipe(RECIPE)
    world = recipe.configuration.data.world
    movie, eye, units, _ = (
        np.random.Generator(np.random.Philox(seed)) for seed in np.random.SeedSequence([world.seed, 0]).spawn(4)
    )
    position = eye_position(eye, world.frames, world.bin_rate_hz)
    stimulus = make_movie(movie, position, world.height, world.width, world.bin_rate_hz)
    behavior, names = behavior_columns(position, world.behaviors, world.bin_rate_hz)
    drawn = make_units(units, world, world.units_of_sessions[0], names)
    true = world_rates(drawn, world, stimulus, behavior).true
    without = world_rates(drawn, world.model_copy(update={"behavior_gain": 0.0}), stimulus, behavior).true
    loss = expected_bits(true, true) - expected_bits(true, without)
    assert loss == pytest.approx(0.096, abs=0.001)
    assert "loses .096 bits" in RECIPE.read_text(encoding="utf-8")
    expect = recipe.patches["no_behavior"].expect
    assert expect == pytest.approx((-1.2 * loss / BASELINE, -0.5 * loss / BASELINE), abs=0.005)
