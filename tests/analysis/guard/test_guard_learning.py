"""Which rows still rose when their runs stopped, by curves of a few scores and of many."""

import numpy as np

from ablate.analysis.guard.learning import _rising
from ablate.analysis.outcome import LearningCurve


def row(rises, values):
    """One curve a seed: `values` at equal steps, and a rise of its own between the last two."""
    steps = tuple(range(100, 100 * len(values) + 1, 100))
    return [
        LearningCurve("p", seed, steps, (*values[:-1], values[-2] + rise))
        for seed, rise in enumerate(map(float, rises))
    ]


def test_a_rise_that_all_seeds_have_is_told_of_four_scores_too():
    """Four scores bend by what they still learn, so that their bends hid any rise: flipflop_pixels was called flat."""
    still_bent = [0.2, 0.6, 0.8, 0.9]
    assert _rising([row([0.09, 0.10, 0.11], still_bent)]) == [True]


def test_a_rise_is_told_of_smooth_curves_though_seeds_rise_by_unlike_amounts():
    straight = list(np.linspace(0.5, 0.9, 12))
    curves = row([0.036, 0.002, 0.09], straight)
    assert np.mean([0.036, 0.002, 0.09]) < 2 * np.std([0.036, 0.002, 0.09], ddof=1)
    assert _rising([curves]) == [True]


def test_flat_curves_of_noise_are_seldom_told_to_rise():
    generator = np.random.default_rng(0)
    steps = tuple(range(100, 900, 100))
    told = 0
    for _ in range(300):
        scores = 1 + 0.01 * generator.standard_normal((8, 3, 8))
        told += any(_rising([[LearningCurve("p", 0, steps, tuple(values)) for values in one] for one in scores]))
    assert told / 300 < 0.1, "each of two tests accuses one honest study in twenty at most"


def test_one_seed_speaks_by_the_noise_of_its_scores_alone():
    assert _rising([row([0.2], [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8])]) == [True]
    assert _rising([row([0.001], [0.5, 0.7, 0.5, 0.7, 0.5, 0.7, 0.5, 0.7])]) == [False]
