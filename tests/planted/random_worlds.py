"""Thirty random worlds after `recipes/planted_truth.yaml`: other cells, rates and learning rates, and real training.

A world has six patches: `behavior`, `one_pixel`, `redraw`, and a pair with its combination: redundant in worlds of even
number (`faster`, `longer`), synergistic in the others (`window`, `filter`). `redraw` and the control `reseed` are exact
nulls: another draw of the same. What each other patch does in a world is known from many seeds alone.
"""

from pathlib import Path

import numpy as np

from ablate.request import Request
from ablate.result import Store
from ablate.study.flow import run_study

RECIPE = Path(__file__).parents[2] / "recipes" / "planted_truth.yaml"
WORLDS = 30
BASELINE = "baseline"
NULLS = ("redraw", "reseed")
PAIRS = {0: ("faster", "longer", "faster+longer"), 1: ("window", "filter", "window+filter")}
"""By the remainder of the world's number."""


def patches_of(number: int) -> tuple[str, ...]:
    return ("behavior", "one_pixel", "redraw", *PAIRS[number % 2])


def request_of(number: int, out: Path, seeds: int) -> Request:
    """How a world is run: at most a fifth of a second of processor time a run."""
    generator = np.random.default_rng(number)
    smallest = generator.uniform(0.5, 1.0)
    slowest = generator.uniform(10, 40)
    gain = generator.choice([0.0, generator.uniform(0.2, 0.8)], p=[0.25, 0.75])
    rate = np.exp(generator.uniform(np.log(3e-4), np.log(2e-3)))
    world = {
        "data.seed": 1000 + number,
        "data.units": 8,
        "data.frames": 6000,
        "data.rf_size": f"[{smallest:.2f}, {smallest + 0.5:.2f}]",
        "data.rate_hz": f"[{slowest:.0f}, {2.5 * slowest:.0f}]",
        "data.complex_fraction": generator.choice([0.0, 0.3]),
        "data.behavior_gain": f"{gain:.2f}",
        "training.learning_rate": f"{rate:.2g}",
        "training.steps": 40,
        "training.evaluate_every": 40,
        "patches.longer.training.steps": 120,
    }
    return Request(
        recipe=RECIPE,
        sets=tuple(f"{key}={value}" for key, value in world.items()),
        seeds=f"0-{seeds - 1}",
        variants=",".join((*patches_of(number), "reseed")),
        out=out / f"world_{number:02d}",
        device="cpu",
        inline=True,
        threads=1,
    )


def train(number: int, out: Path, seeds: int) -> dict[str, dict[int, float]]:
    """Test scores by variant and seed. What is in `out` already is not trained again."""
    ended = run_study(request_of(number, out, seeds))
    assert set(ended.states.values()) == {"done"}
    return scores_in(ended.study.store)


def scores_in(store: Store) -> dict[str, dict[int, float]]:
    manifest = store.manifest()
    found: dict[str, dict[int, float]] = {entry.name: {} for entry in manifest.variants}
    for record in store.scan().records.values():
        assert record.test is not None
        found[record.variant][record.seed] = record.test.headline
    return {name: dict(sorted(scores.items())) for name, scores in found.items()}
