import numpy as np
import pytest
import torch
from torch import nn
from training_toys import CPU, ToyDataset, ToyModel

from ablate.contract import Model
from ablate.errors import AblateError
from ablate.training import evaluate


def test_the_batch_size_never_changes_a_score(toy_dataset):
    model = ToyModel(toy_dataset.spec)
    scores = [evaluate(model, toy_dataset, "test", batch_size=size, device=CPU)[0] for size in (1, 5, 100)]
    assert scores[0].headline == pytest.approx(scores[1].headline, rel=1e-5)
    assert scores[0].headline == pytest.approx(scores[2].headline, rel=1e-5)
    assert scores[0].scored_hash == "toy-test"


def test_dropout_is_off_and_every_module_gets_its_mode_back(toy_dataset):
    model = ToyModel(toy_dataset.spec, dropout=0.9)
    model.norm.eval()  # a frozen part keeps its own mode
    first, second = (evaluate(model, toy_dataset, "test", batch_size=8, device=CPU)[0] for _ in range(2))
    assert first == second
    assert model.training
    assert model.dropout.training
    assert not model.norm.training


def test_evaluating_moves_no_random_state_and_no_weight(toy_dataset):
    class Drawing(ToyModel):
        def forward(self, batch):
            return tuple(x + 0.1 * torch.randn_like(x) for x in super().forward(batch))

    model = Drawing(toy_dataset.spec)
    states = torch.get_rng_state(), np.random.get_state()[1].tolist()  # beartype itself draws from `random`
    before = {name: value.clone() for name, value in model.state_dict().items()}
    first = evaluate(model, toy_dataset, "test", batch_size=8, device=CPU)[0]
    assert evaluate(model, toy_dataset, "test", batch_size=8, device=CPU)[0] == first
    assert torch.equal(torch.get_rng_state(), states[0])
    assert np.random.get_state()[1].tolist() == states[1]
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_the_data_sets_own_threshold_is_used(toy_dataset, monkeypatch):
    model = ToyModel(toy_dataset.spec)
    monkeypatch.setattr(ToyDataset, "min_spikes", 10_000)
    with pytest.raises(AblateError, match="min_spikes"):
        evaluate(model, toy_dataset, "test", batch_size=8, device=CPU)


def test_the_true_rates_reach_the_ceiling_that_the_data_states():
    class Oracle(Model):
        def forward(self, batch):
            return tuple((x @ w) for x, w in zip(batch.inputs, weights, strict=True))

    data = ToyDataset(rows=4000)
    weights = [torch.linalg.lstsq(data.x[:, 0], rate[:, 0].log()).solution for rate in data.rates]
    _, table = evaluate(Oracle(), data, "test", batch_size=500, device=CPU)
    data.attainable = lambda split: tuple(session.gain for session in table.sessions)
    score, _ = evaluate(Oracle(), data, "test", batch_size=70, device=CPU)
    assert score.attainable == pytest.approx(score.headline, rel=1e-5)
    assert score.headline > 0.05
    constant = ToyModel(data.spec)
    assert evaluate(constant, data, "test", batch_size=500, device=CPU)[0].headline < score.attainable


def test_shuffled_counts_give_the_true_rates_no_gain():
    class Oracle(Model):
        def forward(self, batch):
            return tuple((x @ w) for x, w in zip(batch.inputs, weights, strict=True))

    data = ToyDataset(rows=4000)
    weights = [torch.linalg.lstsq(data.x[:, 0], rate[:, 0].log()).solution for rate in data.rates]
    order = torch.randperm(4000, generator=torch.Generator().manual_seed(1))
    data.y, data.valid = [y[order] for y in data.y], [valid[order] for valid in data.valid]
    assert evaluate(Oracle(), data, "test", batch_size=500, device=CPU)[0].headline < 0


def test_a_ceiling_of_accuracy_is_passed_on():
    from test_score_labels import batch_of
    from training_toys import fusion_spec

    class Labels(ToyDataset):
        metric = "bits_per_label"

        def __init__(self):
            super().__init__()
            self.spec = fusion_spec(subjects=("s1",))

        def sweep(self, split, *, batch_size):
            yield batch_of(torch.tensor([[0], [1]]), [0, 1])

        def attainable_accuracy(self, split):
            return 0.994

    class Guess(Model):
        def forward(self, batch):
            return (torch.zeros(2, 1, 2),)

    score, table = evaluate(Guess(), Labels(), "test", batch_size=2, device=CPU)
    assert (score.attainable_accuracy, score.accuracy) == (0.994, 0.5)
    assert table.to_json()["sessions"][0]["entry"] == [0, 1]


def test_bfloat16_is_used_when_asked_for(toy_dataset):
    seen = []

    class Watching(Model):
        def __init__(self):
            super().__init__()
            self.inner = nn.Linear(4, 3)

        def forward(self, batch):
            seen.append(self.inner(batch.inputs[0]).dtype)
            return tuple(torch.zeros(target.values.shape) for target in batch.targets)

    for precision in ("bf16", "fp32", "auto"):
        evaluate(Watching(), toy_dataset, "test", batch_size=100, device=CPU, precision=precision)
    assert seen == [torch.bfloat16, torch.float32, torch.float32]
