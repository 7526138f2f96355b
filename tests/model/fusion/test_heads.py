"""The head of numbers: what an untrained model says, which gradients flow, and what a deviation learns."""

from dataclasses import replace

import pytest
import torch

from ablate.contract import FusionSpec, Target, TargetSpec, example_batch
from ablate.model.fusion.head import ClassHead, ValueHead, head_for
from ablate.model.fusion.model import FusionConfig
from ablate.training.loss import entry_nll

TARGETS = (TargetSpec("valence"), TargetSpec("arousal"))
CPU = torch.device("cpu")


def spec(labels_per="trial"):
    return FusionSpec(("a",), 3, 6, (5,), 4, 48, 0, (), labels_per, targets=TARGETS)


@pytest.mark.parametrize(("labels_per", "places"), [("trial", 1), ("interval", 3)])
def test_an_untrained_model_says_about_what_the_training_split_says(labels_per, places):
    torch.manual_seed(0)
    data = spec(labels_per)
    model = FusionConfig.model_validate({"embedding_dim": 8, "video": {"type": "features"}}).build(data).eval()
    batch = example_batch(data, CPU)
    (said,) = model(replace(batch, eeg=torch.randn_like(batch.eeg)))
    assert said.shape == (1, places, 2, 2)
    assert said[..., 0].abs().max() < 0.3
    assert said[..., 1].abs().max() == 0
    assert batch.targets[0].values.shape == (1, places, 2)


def test_every_parameter_of_the_head_gets_a_gradient():
    head = ValueHead(8, spec(), 0.0)
    said = head(torch.randn(5, 6, 8))
    target = Target(0, torch.randn(5, 1, 2), torch.ones(5, 1, 2, dtype=torch.bool))
    entry_nll(said, target, "values", torch.float32).mean().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in head.parameters())


def test_the_deviation_learns_the_spread_of_the_residuals():
    torch.manual_seed(0)
    head, values = ValueHead(8, spec(), 0.0), torch.randn(4000, 1, 2) * torch.tensor([0.3, 2.0])
    target = Target(0, values, torch.ones_like(values, dtype=torch.bool))
    optimizer = torch.optim.Adam([head.log_sd], lr=0.05)
    for _ in range(150):
        optimizer.zero_grad()
        entry_nll(head(torch.zeros(4000, 6, 8)), target, "values", torch.float32).mean().backward()
        optimizer.step()
    assert head.log_sd.detach().exp().tolist() == pytest.approx(values.std(dim=(0, 1)).tolist(), rel=0.02)


def test_classes_have_the_head_of_classes():
    classes = FusionSpec(("a",), 3, 6, (5,), 4, 48, 2, (0.25, 0.75), "trial")
    assert isinstance(head_for(classes, 8, 0.0), ClassHead)
    assert isinstance(head_for(spec(), 8, 0.0), ValueHead)
