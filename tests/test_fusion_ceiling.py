"""Every variant of the fusion quickstart where the closed forms say it must be. Trains: five minutes on one core."""

import math
from functools import lru_cache
from pathlib import Path

import pytest
import torch

from ablate.data.coincidence.ceiling import full_accuracy, pooled_accuracy
from ablate.recipe import load_recipe
from ablate.training import evaluate, fit, stream_seed
from ablate.training.seed import seeded
from ablate.variant import lay_out

RECIPE = Path(__file__).parents[1] / "recipes" / "fusion_quickstart.yaml"
CPU = torch.device("cpu")
ERROR = math.sqrt(0.25 / 4000)  # of an accuracy over 800 trials of 5 labels

pytestmark = pytest.mark.slow


@lru_cache
def accuracy(name: str) -> float:
    """Test accuracy of one variant, trained as the recipe says."""
    variant = next(variant for variant in lay_out(load_recipe(RECIPE)).variants if variant.name == name)
    configuration = variant.configuration
    data = configuration.data.open(CPU)
    with seeded(stream_seed(0, "init", configuration.training.reseed)):
        model = configuration.model.build(data.spec)
    trained = fit(model, data, configuration.training, seed=0, device=CPU)
    score, _ = evaluate(trained.model, data, "test", batch_size=200, device=CPU)
    assert score.accuracy is not None
    return score.accuracy


@pytest.mark.parametrize("name", ["baseline", "s4d", "mamba", "tcn", "transformer", "resampler", "concat", "positions"])
def test_every_way_to_know_the_order_comes_near_the_ceiling(name: str) -> None:
    assert accuracy(name) >= 0.97 * full_accuracy(5.0)


@pytest.mark.parametrize("name", ["eeg_alone", "video_alone", "shuffled_pairs", "mask_shifted", "no_mixer"])
def test_what_cannot_know_the_label_stays_at_chance(name: str) -> None:
    assert abs(accuracy(name) - 0.5) < 4 * ERROR


def test_pooled_video_stays_below_its_own_ceiling() -> None:
    assert accuracy("late") < pooled_accuracy(5.0, 5) + 4 * ERROR


@pytest.mark.parametrize("name", ["poisoned_pads", "padding_trap"])
def test_what_lies_in_the_pads_changes_nothing(name: str) -> None:
    assert abs(accuracy(name) - accuracy("baseline")) < 0.01
