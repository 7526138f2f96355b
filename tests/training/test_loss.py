import math

import pytest
import torch
from torch.nn import functional
from training_toys import ToyBatch, ToyDataset

from ablate.contract import Target
from ablate.errors import AblateError
from ablate.training.loss import LOWEST_LOG_RATE, count_entries, label_nll, mean_loss, poisson_nll

NAN = float("nan")


def spikes_batch(counts, valid):
    return ToyBatch((torch.zeros(len(counts), 1),), (Target(0, counts, valid),))


def test_the_count_likelihood_is_torchs_up_to_the_factorial():
    counts, log_rate = torch.tensor([0.0, 1.0, 5.0]), torch.tensor([-1.0, 0.3, 2.0])
    expected = -torch.distributions.Poisson(log_rate.exp()).log_prob(counts) - torch.lgamma(counts + 1)
    torch.testing.assert_close(poisson_nll(log_rate, counts), expected)
    torch.testing.assert_close(
        poisson_nll(log_rate, counts), functional.poisson_nll_loss(log_rate, counts, reduction="none")
    )


def test_log_rates_are_clamped_below():
    nll = poisson_nll(torch.tensor([-1e9, -float("inf")]), torch.tensor([2.0, 2.0]))
    torch.testing.assert_close(nll, torch.full((2,), -2 * LOWEST_LOG_RATE))


def test_the_label_likelihood_is_torchs_categorical():
    logits, labels = torch.randn(4, 3, 5), torch.randint(5, (4, 3))
    expected = -torch.distributions.Categorical(logits=logits).log_prob(labels)
    torch.testing.assert_close(label_nll(logits.log_softmax(-1), labels), expected)


def test_predictions_that_do_not_sum_to_one_gain_nothing():
    log_probability, labels = torch.randn(4, 5).log_softmax(-1), torch.tensor([0, 1, 2, 3])
    torch.testing.assert_close(label_nll(log_probability + 3, labels), label_nll(log_probability, labels))


def test_nan_in_masked_bins_reaches_neither_loss_nor_gradient():
    counts = torch.tensor([[[1.0, NAN]], [[NAN, 2.0]]])
    valid = torch.tensor([[[True, False]], [[False, True]]])
    prediction = torch.tensor([[[0.5, NAN]], [[NAN, -0.5]]], requires_grad=True)
    loss = mean_loss((prediction,), spikes_batch(counts, valid), "spikes")
    loss.backward()
    expected = (math.exp(0.5) - 0.5 + math.exp(-0.5) + 2 * 0.5) / 2
    assert loss.item() == pytest.approx(expected)
    gradient = [[[(math.exp(0.5) - 1) / 2, 0.0]], [[0.0, (math.exp(-0.5) - 2) / 2]]]
    torch.testing.assert_close(prediction.grad, torch.tensor(gradient))


def test_nan_before_the_mask_does_not_poison_shared_weights():
    weight = torch.tensor(0.3, requires_grad=True)
    features = torch.tensor([[[1.0, NAN]]])
    valid = torch.tensor([[[True, False]]])
    prediction = torch.where(valid, weight * torch.where(valid, features, 0), torch.tensor(NAN))
    mean_loss((prediction,), spikes_batch(features, valid), "spikes").backward()
    assert math.isfinite(weight.grad.item())


def test_masked_labels_may_be_anything():
    labels, valid = torch.tensor([[1, -1], [0, 99]]), torch.tensor([[True, False], [True, False]])
    prediction = torch.full((2, 2, 3), NAN)
    prediction[:, 0] = torch.tensor([0.2, 0.5, 0.3]).log()
    prediction.requires_grad_(True)
    loss = mean_loss((prediction,), spikes_batch(labels, valid), "labels")
    loss.backward()
    assert loss.item() == pytest.approx(-(math.log(0.5) + math.log(0.2)) / 2)
    assert prediction.grad.isfinite().all()


def test_sessions_weigh_by_their_valid_entries():
    batch = ToyDataset(units=(5, 1)).batch(torch.arange(10))
    predictions = (torch.zeros(10, 1, 5), torch.ones(10, 1, 1))
    total, count = 0.0, 0
    for prediction, target in zip(predictions, batch.targets, strict=True):
        x, y = prediction[target.valid], target.values[target.valid]
        total, count = total + (x.exp() - y * x).sum().item(), count + int(target.valid.sum())
    assert mean_loss(predictions, batch, "spikes").item() == pytest.approx(total / count)
    assert count_entries(batch).item() == count


def test_a_batch_without_a_valid_entry_has_loss_zero():
    prediction = torch.zeros(2, 1, 3, requires_grad=True)
    loss = mean_loss((prediction,), spikes_batch(torch.full((2, 1, 3), NAN), torch.zeros(2, 1, 3) > 0), "spikes")
    loss.backward()
    assert loss.item() == 0
    assert (prediction.grad == 0).all()


def test_a_half_precision_prediction_is_summed_in_single_precision():
    batch = spikes_batch(torch.ones(64, 8, 8), torch.ones(64, 8, 8) > 0)
    loss = mean_loss((torch.zeros(64, 8, 8, dtype=torch.bfloat16),), batch, "spikes")
    assert loss.dtype == torch.float32
    assert loss.item() == 1.0


def test_a_prediction_that_would_broadcast_is_refused():
    batch = spikes_batch(torch.ones(4, 2, 3), torch.ones(4, 2, 3) > 0)
    with pytest.raises(AblateError, match=r"shape \(4, 1, 3\), its target \(4, 2, 3\)"):
        mean_loss((torch.zeros(4, 1, 3),), batch, "spikes")
    with pytest.raises(AblateError, match="2 predictions for 1 targets"):
        mean_loss((torch.zeros(4, 2, 3),) * 2, batch, "spikes")


def test_the_loss_of_numbers_is_the_gaussians_likelihood_without_its_constant():
    from ablate.training.loss import gaussian_nll

    z, said = torch.randn(50, dtype=torch.float64), torch.randn(50, 2, dtype=torch.float64)
    known = -torch.distributions.Normal(said[:, 0], said[:, 1].exp()).log_prob(z)
    assert torch.allclose(gaussian_nll(said, z), known - math.log(2 * math.pi) / 2)


def test_numbers_that_nobody_rated_reach_neither_loss_nor_gradient():
    said = torch.randn(4, 1, 2, 2, requires_grad=True)
    values, valid = torch.randn(4, 1, 2), torch.ones(4, 1, 2, dtype=torch.bool)
    values[1, 0, 1], valid[1, 0, 1] = torch.nan, False
    loss = mean_loss((said,), ToyBatch((torch.zeros(4, 1),), (Target(0, values, valid),)), "values")
    loss.backward()
    assert torch.isfinite(loss)
    assert torch.isfinite(said.grad).all()
    assert said.grad[1, 0, 1].tolist() == [0, 0]
