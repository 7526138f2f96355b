"""What a run scores does not hang on how fast its operations are: torch's own give the same but for rounding.

The stated tolerance, over 25 steps of the quickstart at a small size: a relative 1e-5 of every loss, and of the score
1e-4 bits/spike, a tenth of the last digit that a table prints.
"""

import importlib.util
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import pytest
import torch

from ablate.model.modulator import recurrence
from ablate.recipe import Configuration, load_recipe
from ablate.study.running.train import build_model, open_data
from ablate.training import evaluate, fit
from ablate.variant import lay_out

ROOT = Path(__file__).parents[2]
CPU = torch.device("cpu")
SMALL = {
    **{f"data.{name}": value for name, value in {"frames": 6000, "units": 12}.items()},
    **{f"training.{name}": value for name, value in {"steps": 25, "warmup_steps": 5, "evaluate_every": 5}.items()},
}
LOSS, SCORE = 1e-5, 1e-4


def plainly() -> AbstractContextManager[None]:
    """Torch's own operations, as the benchmark of a training step has them."""
    path = ROOT / "tests" / "benchmarks" / "straightforward.py"
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    way: AbstractContextManager[None] = module.straightforward()
    return way


@pytest.fixture(scope="module")
def variants() -> dict[str, Configuration]:
    recipe = load_recipe(ROOT / "recipes" / "quickstart.yaml", [f"{name}={value}" for name, value in SMALL.items()])
    return {variant.name: variant.configuration for variant in lay_out(recipe).variants}


def trained(
    configuration: Configuration, way: Callable[[], AbstractContextManager[Any]], seed: int = 0
) -> tuple[list[float], float]:
    """Losses and the validation score."""
    data = open_data(configuration, CPU)
    model = build_model(configuration, data, seed, CPU)
    with way():
        result = fit(model, data, configuration.training, seed=seed, device=CPU)
        score, _ = evaluate(result.model, data, "validation", batch_size=16, device=CPU)
    return [float(row["loss"]) for row in result.history], score.headline


@pytest.mark.parametrize("name", ["baseline", "p1+p2+p3", "resnet"])
def test_a_run_by_torchs_own_operations_has_the_same_losses_and_score(
    variants: dict[str, Configuration], name: str
) -> None:
    losses, score = trained(variants[name], nullcontext)
    plain_losses, plain_score = trained(variants[name], plainly)
    assert losses != plain_losses  # they did go another way
    assert losses == pytest.approx(plain_losses, rel=LOSS)
    assert score == pytest.approx(plain_score, abs=SCORE)


def test_a_planted_fault_in_a_fast_way_moves_more_than_the_tolerance(
    variants: dict[str, Configuration], monkeypatch: pytest.MonkeyPatch
) -> None:
    losses, score = trained(variants["baseline"], nullcontext)
    monkeypatch.setattr(recurrence, "tanh_backward", lambda grad, value: grad)
    wrong_losses, wrong_score = trained(variants["baseline"], nullcontext)
    assert losses != pytest.approx(wrong_losses, rel=LOSS)
    assert score != pytest.approx(wrong_score, abs=SCORE)
