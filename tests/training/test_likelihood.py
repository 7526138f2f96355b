"""The negative-binomial loss against torch.distributions and scipy, its limit, its gradients, what is learnt by it."""

import json

import numpy as np
import pytest
import torch
from scipy import stats
from torch import nn
from training_toys import CPU, ToyDataset

from ablate.contract import EncodingSpec, FusionSpec, Model, SessionSpec
from ablate.errors import AblateError
from ablate.training import TrainingConfig, fit
from ablate.training.likelihood import (
    LEAST_DISPERSION,
    NegativeBinomial,
    dispersion_measure,
    dispersions,
    likelihood_of,
    negative_binomial_nll,
    with_likelihood,
)
from ablate.training.loss import poisson_nll


@pytest.mark.parametrize("dispersion", [1e-3, 0.1, 1.0, 20.0])
def test_it_is_the_likelihood_of_torch_and_scipy_up_to_the_factorial(dispersion: float) -> None:
    counts = torch.arange(0.0, 40.0, dtype=torch.float64)[:, None]
    log_rate = torch.linspace(-3, 3, 40, dtype=torch.float64)[:, None]
    a = torch.tensor([dispersion], dtype=torch.float64)
    found = negative_binomial_nll(log_rate, counts, a) + torch.lgamma(counts + 1)
    r = 1 / a
    theirs = torch.distributions.NegativeBinomial(r, logits=log_rate - r.log())
    torch.testing.assert_close(found, -theirs.log_prob(counts), rtol=1e-9, atol=1e-9)
    rate = log_rate.exp().numpy()
    p = (1 / (1 + dispersion * rate)).ravel()
    scipys = stats.nbinom.logpmf(counts.numpy().ravel(), 1 / dispersion, p)
    np.testing.assert_allclose(found.numpy().ravel(), -scipys, rtol=1e-8, atol=1e-8)


def test_as_the_dispersion_goes_to_zero_it_is_poisson() -> None:
    counts, log_rate = torch.arange(0.0, 12.0)[:, None], torch.linspace(-4, 2.5, 12)[:, None]
    poisson = poisson_nll(log_rate, counts)
    apart = [
        float((negative_binomial_nll(log_rate, counts, torch.tensor([a])) - poisson).abs().max())
        for a in (1e-2, 1e-3, 1e-5)
    ]
    assert apart[0] > apart[1] > apart[2]
    assert apart[2] < 2e-3


def test_its_gradients_are_those_of_finite_differences() -> None:
    counts = torch.tensor([[0.0, 3.0], [1.0, 7.0]], dtype=torch.float64)
    log_rate = torch.tensor([[-1.0, 0.5], [0.2, 2.0]], dtype=torch.float64, requires_grad=True)
    a = torch.tensor([0.02, 1.5], dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x, d: negative_binomial_nll(x, counts, d), (log_rate, a))


class Constant(Model):
    """A rate a unit."""

    def __init__(self, spec: EncodingSpec):
        super().__init__()
        self.log_rates = nn.ParameterList(nn.Parameter(torch.zeros(session.units)) for session in spec.sessions)

    def forward(self, batch: object) -> tuple[torch.Tensor, ...]:
        return tuple(
            self.log_rates[target.session].expand(target.values.shape)
            for target in batch.targets  # type: ignore[attr-defined]
        )


class Counts(ToyDataset):
    """Two sessions of two units at 2 spikes a bin: Poisson, and negative binomial of dispersion 1.5."""

    def __init__(self) -> None:
        super().__init__(units=(2, 2), rows=4000)
        random = np.random.default_rng(0)
        for session in range(2):
            counts = np.stack(
                [random.poisson(2.0, 4000), random.negative_binomial(1 / 1.5, 1 / (1 + 1.5 * 2.0), 4000)], axis=1
            )
            self.y[session] = torch.as_tensor(counts, dtype=torch.float32)[:, None]
            self.valid[session] = torch.ones_like(self.y[session], dtype=torch.bool)


SETTINGS = {
    "steps": 250,
    "batch_size": 128,
    "learning_rate": 1e-2,
    "warmup_steps": 10,
    "evaluate_every": 250,
    "select": "last",
}


def test_training_finds_the_dispersion_of_each_unit_and_scores_stay_poissons() -> None:
    data = Counts()
    results = {}
    for loss in ("poisson", "negative_binomial"):
        config = TrainingConfig.model_validate({**SETTINGS, "loss": loss, "ema": 0.98})
        results[loss] = fit(Constant(data.spec), data, config, seed=0, device=CPU)
    model = results["negative_binomial"].model
    found = dispersions(model, data.spec)
    for session in data.spec.sessions:
        low, high = found[session.name]
        assert low < 0.05
        assert high == pytest.approx(1.5, rel=0.25)
    assert dispersion_measure(found)["dispersion"] == pytest.approx(float(np.exp(np.log([*found.values()]).mean())))
    assert dispersions(results["poisson"].model, data.spec) == {}
    assert likelihood_of(results["poisson"].model) is None
    rates = torch.stack([*model.log_rates]).exp()
    torch.testing.assert_close(rates, torch.full((2, 2), 2.0), rtol=0.1, atol=0)
    ends = [result.history[-1]["validation"] for result in results.values()]
    assert ends[0] == pytest.approx(ends[1], abs=0.01), "both at the same rates, scored by the same likelihood"
    assert results["negative_binomial"].history[-1]["loss"] < results["poisson"].history[-1]["loss"]


def test_a_session_that_was_never_drawn_keeps_its_first_dispersion() -> None:
    likelihood = NegativeBinomial([3, 2])
    torch.testing.assert_close(likelihood.dispersion(1), torch.full((2,), 0.1 + LEAST_DISPERSION))
    with torch.no_grad():
        likelihood.moved[0].fill_(-1e4)
    torch.testing.assert_close(likelihood.dispersion(0), torch.full((3,), LEAST_DISPERSION))


def test_labels_have_no_dispersion() -> None:
    spec = FusionSpec(("a",), 1, 1, (4,), 2, 10, 2, (0.5, 0.5), "trial")
    with pytest.raises(AblateError, match="a loss of counts, and these are labels"):
        with_likelihood(Model(), TrainingConfig(loss="negative_binomial"), spec)


def test_dispersions_are_stored_with_the_model_once() -> None:
    spec = EncodingSpec((SessionSpec("a", 2, 2, 3, 0, 60.0, (0.1,) * 3),), window=8, score_every=8, warmup=0)
    config = TrainingConfig(loss="negative_binomial")
    model = with_likelihood(Constant(spec), config, spec)
    assert with_likelihood(model, config, spec) is model
    assert [name for name in model.state_dict() if "likelihood" in name] == ["count_likelihood.moved.0"]
    assert json.loads(json.dumps(dispersions(model, spec)))["a"] == pytest.approx([0.1] * 3, abs=1e-4)
