import math

import numpy as np
import pytest
import torch
from training_toys import ToyBatch, assert_same_score, fusion_spec

from ablate.contract import Target
from ablate.errors import AblateError
from ablate.training.score import scorer_for
from ablate.training.score.labels import LEAST_PRIOR


def batch_of(labels, trials, session=0, valid=None):
    valid = torch.ones_like(labels, dtype=torch.bool) if valid is None else valid
    return ToyBatch((torch.zeros(len(labels), 1),), (Target(session, labels, valid, torch.tensor(trials)),))


def log_probability(*rows):
    return torch.tensor(rows, dtype=torch.float64).log()


def test_bits_per_label_by_hand():
    scorer = scorer_for(fusion_spec((0.25, 0.75)))
    prediction = log_probability([[0.5, 0.5], [0.2, 0.8]], [[0.9, 0.1], [0.4, 0.6]])
    scorer.add((prediction,), batch_of(torch.tensor([[0, 1], [0, 0]]), [7, 3]))
    trial_7 = (math.log2(0.5 / 0.25) + math.log2(0.8 / 0.75)) / 2
    trial_3 = (math.log2(0.9 / 0.25) + math.log2(0.4 / 0.25)) / 2
    score = scorer.score("h")
    assert score.metric == "bits_per_label"
    assert score.headline == pytest.approx((trial_7 + trial_3) / 2)
    session = scorer.units().sessions[0]
    assert session.entry.tolist() == [3, 7]
    assert scorer.units().values(session) == pytest.approx([trial_3, trial_7])


def test_a_uniform_guess_at_a_uniform_prior_has_no_gain():
    scorer = scorer_for(fusion_spec((0.5, 0.5)))
    scorer.add((torch.zeros(4, 1, 2),), batch_of(torch.tensor([[0], [1], [1], [1]]), [0, 1, 2, 3]))
    score = scorer.score("")
    assert score.headline == pytest.approx(0.0, abs=1e-12)


def test_accuracy_counts_labels_and_balanced_accuracy_classes():
    scorer = scorer_for(fusion_spec((0.25, 0.75)))
    labels = torch.tensor([[0], [1], [1], [1]])
    guesses = log_probability([[0.1, 0.9]], [[0.1, 0.9]], [[0.1, 0.9]], [[0.8, 0.2]])
    scorer.add((guesses,), batch_of(labels, [0, 1, 2, 3]))
    score = scorer.score("")
    assert score.accuracy == pytest.approx(2 / 4)
    assert score.balanced_accuracy == pytest.approx((0 + 2 / 3) / 2)


def test_a_class_that_the_split_never_shows_does_not_count_as_missed():
    scorer = scorer_for(fusion_spec((0.4, 0.4, 0.2)))
    scorer.add((log_probability([[0.8, 0.1, 0.1]], [[0.1, 0.8, 0.1]]),), batch_of(torch.tensor([[0], [1]]), [0, 1]))
    assert scorer.score("").balanced_accuracy == 1.0


def test_a_class_that_training_never_showed_has_a_finite_null():
    scorer = scorer_for(fusion_spec((1.0, 0.0)))
    scorer.add((log_probability([[0.5, 0.5]]),), batch_of(torch.tensor([[1]]), [0]))
    assert scorer.score("").headline == pytest.approx(math.log2(0.5 / LEAST_PRIOR))


def test_masked_labels_count_nowhere_even_when_nan():
    valid = torch.tensor([[True, False], [False, False]])
    prediction = torch.full((2, 2, 2), float("nan"), dtype=torch.float64)
    prediction[0, 0] = torch.tensor([0.9, 0.1]).double().log()
    scorer = scorer_for(fusion_spec())
    scorer.add((prediction,), batch_of(torch.tensor([[0, -1], [-1, 99]]), [0, 1], valid=valid))
    score = scorer.score("")
    assert score.headline == pytest.approx(math.log2(0.9 / 0.5))
    assert (score.accuracy, score.sessions[0].entries, score.sessions[0].excluded) == (1.0, 1, 1)


def test_one_trial_in_two_batches_is_one_entry():
    whole, pieces = scorer_for(fusion_spec()), scorer_for(fusion_spec())
    prediction = log_probability([[0.9, 0.1]], [[0.3, 0.7]], [[0.6, 0.4]])
    labels, trials = torch.tensor([[0], [1], [1]]), [4, 4, 5]
    whole.add((prediction,), batch_of(labels, trials))
    for row in range(3):
        pieces.add((prediction[row : row + 1],), batch_of(labels[row : row + 1], trials[row : row + 1]))
    assert pieces.score("").model_dump() == whole.score("").model_dump()
    assert whole.units().sessions[0].weight.tolist() == [2.0, 1.0]


def test_the_scores_of_two_halves_merge_to_the_whole():
    generator = torch.Generator().manual_seed(0)
    prediction = torch.randn(40, 2, 3, generator=generator).log_softmax(-1)
    labels = torch.randint(3, (40, 2), generator=generator)
    trials = torch.randint(10, (40,), generator=generator).tolist()
    spec = fusion_spec((0.2, 0.3, 0.5))
    whole, first, second = (scorer_for(spec) for _ in range(3))
    for session in (0, 1):
        whole.add((prediction,), batch_of(labels, trials, session))
        first.add((prediction[:13],), batch_of(labels[:13], trials[:13], session))
        second.add((prediction[13:],), batch_of(labels[13:], trials[13:], session))
    first.merge(second)
    assert_same_score(first.score(""), whole.score(""))


def test_the_attainable_gain_is_taken_by_trial():
    scorer = scorer_for(fusion_spec(subjects=("s1",)))
    scorer.add((torch.zeros(2, 1, 2),), batch_of(torch.tensor([[0], [1]]), [2, 0]))
    score = scorer.score("", (np.array([0.5, 9.0, 0.7]),))
    assert score.attainable == pytest.approx((0.5 + 0.7) / 2 / math.log(2))


def test_a_logit_shift_changes_nothing():
    plain, shifted = scorer_for(fusion_spec()), scorer_for(fusion_spec())
    prediction = torch.randn(5, 1, 2, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    batch = batch_of(torch.tensor([[0], [1], [0], [1], [0]]), [0, 1, 2, 3, 4])
    plain.add((prediction,), batch)
    shifted.add((prediction + 5,), batch)
    assert shifted.score("").headline == pytest.approx(plain.score("").headline)


def test_a_prediction_of_the_wrong_shape_is_refused():
    with pytest.raises(AblateError, match=r"shape \(1, 2\), its target \(1, 1\)"):
        scorer_for(fusion_spec()).add((torch.zeros(1, 2, 2),), batch_of(torch.tensor([[0]]), [0]))
