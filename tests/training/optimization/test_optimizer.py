import pytest
import torch
from torch import nn
from training_toys import CPU, ToyDataset, ToyModel

from ablate.contract import no_decay
from ablate.errors import AblateError
from ablate.training import TrainingConfig
from ablate.training.optimization.optimizer import build_optimizer, parameter_groups


class Everything(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(3, 4)
        self.conv = nn.Conv3d(1, 2, 3)
        self.gru = nn.GRU(3, 3)
        self.plane_norm = nn.LayerNorm((4, 4))  # its gain has two axes
        self.group_norm = nn.GroupNorm(2, 4)
        self.gate = nn.Parameter(torch.zeros(()))
        self.positions = no_decay(nn.Parameter(torch.zeros(1, 5, 4)))
        self.mean = no_decay(nn.Parameter(torch.zeros(7, 2)))
        self.frozen = nn.Linear(3, 3).requires_grad_(False)


def names_by_decay(model):
    groups = parameter_groups(model, 0.1)
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    return {group["weight_decay"]: {names[id(parameter)] for parameter in group["params"]} for group in groups}


def test_only_weights_decay():
    groups = names_by_decay(Everything())
    assert groups[0.1] == {"linear.weight", "conv.weight", "gru.weight_ih_l0", "gru.weight_hh_l0"}
    spared = {"linear.bias", "conv.bias", "gru.bias_ih_l0", "gru.bias_hh_l0", "plane_norm.weight", "plane_norm.bias"}
    assert groups[0.0] == spared | {"group_norm.weight", "group_norm.bias", "gate", "positions", "mean"}


def test_a_mark_survives_a_move_to_another_type():
    model = Everything().double()
    assert "positions" in names_by_decay(model)[0.0]


def test_decay_shrinks_weights_and_leaves_marked_ones_alone():
    model = ToyModel(ToyDataset().spec)
    config = TrainingConfig(weight_decay=0.5, learning_rate=0.1)
    optimizer = build_optimizer(model, config, CPU)
    before = {name: value.detach().clone() for name, value in model.named_parameters()}
    for parameter in model.parameters():
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    after = dict(model.named_parameters())
    torch.testing.assert_close(after["hidden.weight"], before["hidden.weight"] * (1 - 0.1 * 0.5))
    for name in ("place", "hidden.bias", "norm.weight", "frozen.weight"):
        assert torch.equal(after[name], before[name]), name


def test_the_optimizer_is_adamw_with_the_configured_betas():
    optimizer = build_optimizer(Everything(), TrainingConfig(betas=(0.8, 0.9)), CPU)
    assert isinstance(optimizer, torch.optim.AdamW)
    assert {group["betas"] for group in optimizer.param_groups} == {(0.8, 0.9)}
    assert all(group["fused"] for group in optimizer.param_groups)


def test_complex_parameters_are_trained_too():
    model = nn.Module()
    model.eigenvalues = nn.Parameter(torch.ones(3, dtype=torch.complex64))
    optimizer = build_optimizer(model, TrainingConfig(learning_rate=0.1), CPU)
    model.eigenvalues.grad = torch.ones(3, dtype=torch.complex64)
    optimizer.step()
    assert (model.eigenvalues.detach() != 1).all()


def test_a_model_with_nothing_to_train_is_the_users_mistake():
    with pytest.raises(AblateError, match="no parameter to train"):
        build_optimizer(nn.Linear(2, 2).requires_grad_(False), TrainingConfig(), CPU)
