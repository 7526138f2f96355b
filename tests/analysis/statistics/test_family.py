"""Adjusted p values: hand values, brute force, and the family-wise error of simulated null studies."""

from itertools import product

import numpy as np
import pytest

from ablate.analysis.statistics import family
from ablate.analysis.statistics.family import RANDOM_FLIPS, holm, holm_factors, max_t, sign_flips
from ablate.analysis.statistics.gain import paired_t


def null_studies(studies: int, patches: int, seeds: int) -> np.ndarray:
    """Differences of null patches to one shared baseline: study, patch, seed."""
    generator = np.random.default_rng(seeds)
    baseline = generator.normal(0.4, 0.01, (studies, 1, seeds))
    return generator.normal(0.4, 0.01, (studies, patches, seeds)) - baseline


def test_holm_gives_the_textbook_values():
    # 0.01 x 4, 0.02 x 3, 0.03 x 2, then 0.04 x 1 lifted to the one before
    assert holm(np.array([0.01, 0.04, 0.03, 0.02])) == pytest.approx([0.04, 0.06, 0.06, 0.06])
    assert holm(np.array([0.5, 0.9])) == pytest.approx([1.0, 1.0])


def test_p_at_its_own_factor_of_alpha_is_rejected_exactly_where_holm_rejects():
    assert holm_factors(np.array([0.001, 0.04, 0.03, 0.012])).tolist() == [4, 2, 2, 3]  # 0.03 is where Holm stops
    assert holm_factors(np.array([0.01, 0.001])).tolist() == [1, 2]
    generator = np.random.default_rng(0)
    for _ in range(500):
        p = generator.beta(0.3, 2, generator.integers(1, 12))
        assert ((p <= 0.05 / holm_factors(p)) == (holm(p) <= 0.05)).all()


@pytest.mark.parametrize("seeds", [3, 5, 10])
def test_twenty_null_patches_give_a_false_verdict_in_at_most_6_percent_of_2000_studies(seeds):
    p = paired_t(null_studies(2000, 20, seeds)).p
    assert np.mean(holm(p).min(axis=1) <= 0.05) <= 0.06


def test_without_adjustment_twenty_null_patches_find_a_winner_in_a_third_of_studies_or_more():
    p = paired_t(null_studies(2000, 20, 5)).p
    assert np.mean(p.min(axis=1) <= 0.05) > 0.3


def test_the_sign_flip_test_keeps_the_family_wise_error_with_eight_seeds():
    errors = [max_t(study).min() <= 0.05 for study in null_studies(600, 20, 8)]
    assert np.mean(errors) <= 0.07  # 0.05 and two standard errors of 600 studies


def test_max_t_equals_a_brute_force_over_all_sign_patterns():
    differences = np.random.default_rng(4).normal(0.5, 1, (3, 6))

    def t(values: np.ndarray) -> np.ndarray:
        return np.abs(values.mean(axis=1)) / (values.std(axis=1, ddof=1) / np.sqrt(values.shape[1]))

    observed = t(differences)
    largest = np.array([t(differences * signs).max() for signs in product([1, -1], repeat=6)])
    expected = [(largest >= value - 1e-12).mean() for value in observed]
    assert max_t(differences) == pytest.approx(expected)


def test_sign_flips_start_with_the_observed_pattern_and_are_distinct():
    (flips,) = sign_flips(8)
    assert flips.shape == (128, 8)
    assert (flips[0] == 1).all()
    assert len(np.unique(flips, axis=0)) == 128


def test_sign_flips_of_many_seeds_are_drawn_in_blocks_and_are_the_same_however_these_are_cut(monkeypatch):
    whole = np.random.default_rng(20).integers(0, 2, (RANDOM_FLIPS, 20)) * 2.0 - 1.0
    whole[0] = 1.0
    for together in (20, 7_777, 10**9):
        monkeypatch.setattr(family, "TOGETHER", together)
        assert (np.concatenate(list(sign_flips(20))) == whole).all()


def test_an_exact_copy_of_the_baseline_is_never_significant_in_max_t():
    differences = np.vstack([np.zeros(8), np.random.default_rng(5).normal(1, 0.1, 8)])
    copy, real = max_t(differences)
    assert copy == 1
    assert real == pytest.approx(1 / 128)
