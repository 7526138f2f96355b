"""Accuracies, F1, calibration and the kept predictions, against scikit-learn and against definitions written out."""

import csv
import io

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, balanced_accuracy_score, confusion_matrix, f1_score
from training_toys import ToyBatch, fusion_spec

from ablate.contract import Target
from ablate.result.measure.confusion import accuracy, balanced_accuracy, calibration_error, confusion, macro_f1
from ablate.training.score import scorer_for

IMBALANCED = (0.64, 0.16, 0.08, 0.08, 0.04)


def drawn(seed, prior=IMBALANCED, count=120):
    generator = np.random.default_rng(seed)
    labels = generator.choice(len(prior), size=count, p=prior)
    guesses = np.where(generator.random(count) < 0.5, labels, generator.choice(len(prior), size=count))
    return labels.astype(np.int64), guesses.astype(np.int64)


@pytest.mark.parametrize("seed", range(20))
def test_the_figures_of_a_matrix_are_those_of_scikit_learn(seed):
    labels, guesses = drawn(seed, count=12 if seed % 2 else 120)  # few labels leave classes out
    matrix = confusion(labels, guesses, len(IMBALANCED))
    known = sorted({*labels.tolist(), *guesses.tolist()})
    assert matrix[np.ix_(known, known)].tolist() == confusion_matrix(labels, guesses).tolist()
    assert matrix.sum() == len(labels)
    assert accuracy(matrix) == pytest.approx(accuracy_score(labels, guesses))
    seen = np.isin(guesses, labels)  # scikit-learn warns of guesses that are no label's class
    if seen.all():
        assert balanced_accuracy(matrix) == pytest.approx(balanced_accuracy_score(labels, guesses))
    assert macro_f1(matrix) == pytest.approx(f1_score(labels, guesses, average="macro", zero_division=0.0))


def test_the_majority_class_alone_has_the_balanced_accuracy_of_chance():
    labels = np.repeat(np.arange(5), (32, 8, 4, 4, 2)).astype(np.int64)
    matrix = confusion(labels, np.zeros_like(labels), 5)
    assert accuracy(matrix) == pytest.approx(0.64)
    assert balanced_accuracy(matrix) == pytest.approx(0.2)
    assert macro_f1(matrix) == pytest.approx((2 * 32 / (32 + 50)) / 5)


def calibration_by_the_definition(confidence, right, bins=15):
    total = 0.0
    for index in range(bins):
        inside = (confidence > index / bins) & (confidence <= (index + 1) / bins)
        if inside.any():
            total += inside.mean() * abs(right[inside].mean() - confidence[inside].mean())
    return total


@pytest.mark.parametrize("seed", range(5))
def test_the_calibration_error_is_the_definition_of_guo_et_al(seed):
    generator = np.random.default_rng(seed)
    confidence = generator.uniform(0.2, 1.0, 500)
    right = generator.random(500) < confidence**2
    assert calibration_error(confidence, right) == pytest.approx(calibration_by_the_definition(confidence, right))


def test_a_model_that_is_right_as_often_as_it_says_is_calibrated():
    confidence = np.full(1000, 0.7)
    assert calibration_error(confidence, np.arange(1000) < 700) == pytest.approx(0.0, abs=1e-12)
    assert calibration_error(confidence, np.arange(1000) < 400) == pytest.approx(0.3)


def scored(subjects=("anna", "bert"), seed=3):
    """A scorer with two subjects' trials of three classes, what it was given, and the probabilities."""
    generator = torch.Generator().manual_seed(seed)
    scorer = scorer_for(fusion_spec((0.5, 0.3, 0.2), subjects))
    given = []
    for session in range(len(subjects)):
        prediction = torch.randn(30, 1, 3, generator=generator, dtype=torch.float64)
        labels = torch.randint(3, (30, 1), generator=generator)
        order = torch.randperm(30, generator=generator)
        target = Target(session, labels, torch.ones_like(labels, dtype=torch.bool), order)
        scorer.add((prediction,), ToyBatch((torch.zeros(30, 1),), (target,)))
        given.append((order.numpy(), labels[:, 0].numpy(), prediction[:, 0].softmax(-1).numpy()))
    return scorer, given


def test_every_subject_has_figures_of_its_own():
    scorer, given = scored()
    score = scorer.score("")
    for session, (_, labels, probability) in zip(score.sessions, given, strict=True):
        guesses = probability.argmax(axis=1)
        assert session.accuracy == pytest.approx(accuracy_score(labels, guesses))
        assert session.balanced_accuracy == pytest.approx(balanced_accuracy_score(labels, guesses))
        assert session.macro_f1 == pytest.approx(f1_score(labels, guesses, average="macro"))
    both = [np.concatenate(parts) for parts in zip(*[(labels, p.argmax(1)) for _, labels, p in given], strict=True)]
    assert score.confusion == tuple(map(tuple, confusion_matrix(*both).tolist()))
    assert score.balanced_accuracy == pytest.approx(balanced_accuracy_score(*both))


def test_predictions_are_kept_by_the_trials_name_and_give_the_score_again():
    scorer, given = scored()
    names = [[f"s{session}t{entry}" for entry in range(30)] for session in range(2)]
    table = scorer.units().predictions
    lines = list(csv.DictReader(io.StringIO(table.to_csv(names))))
    assert [line["trial"] for line in lines] == [name for own in names for name in own]
    for session, (order, labels, probability) in enumerate(given):
        for row, entry in enumerate(order.tolist()):
            line = lines[30 * session + entry]
            assert (line["subject"], line["label"]) == (("anna", "bert")[session], str(labels[row]))
            assert line["guess"] == str(probability[row].argmax())
            assert [float(line[f"p({k})"]) for k in range(3)] == pytest.approx(probability[row].tolist(), abs=1e-6)
    prior = np.array([0.5, 0.3, 0.2])
    bits = [np.log2(float(line[f"p({line['label']})"]) / prior[int(line["label"])]) for line in lines]
    assert scorer.score("").headline == pytest.approx(np.mean(bits), abs=1e-5)
