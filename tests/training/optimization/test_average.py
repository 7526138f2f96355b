import torch
from timm.utils import ModelEmaV3
from torch import nn
from training_toys import ToyDataset, ToyModel, bits

from ablate.training.optimization.average import MovingAverage, trained_tensors
from ablate.training.optimization.schedule import average_decay


def shake(model, generator):
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.requires_grad:
                parameter.add_(torch.randn(parameter.shape, generator=generator))


def test_the_average_equals_a_loop_by_hand():
    model = ToyModel(ToyDataset().spec)
    average = MovingAverage(model, 0.99)
    expected = {name: value.detach().double() for name, value in model.named_parameters()}
    generator = torch.Generator().manual_seed(0)
    for taken in range(1, 30):
        shake(model, generator)
        average.update(taken)
        decay = min(0.99, (1 + taken) / (10 + taken))
        expected = {
            name: decay * expected[name] + (1 - decay) * value.detach().double()
            for name, value in model.named_parameters()
        }
    for name, value in average.state_dict().items():
        torch.testing.assert_close(value.double(), expected[name], rtol=1e-5, atol=1e-5)


def test_the_average_equals_timms_once_the_ramp_is_over():
    model = nn.Linear(3, 3)
    average, reference = MovingAverage(model, 0.5), ModelEmaV3(model, decay=0.5)
    generator = torch.Generator().manual_seed(0)
    assert average_decay(8, 0.5) == 0.5
    for taken in range(8, 20):
        shake(model, generator)
        average.update(taken)
        reference.update(model)
    for name, value in reference.module.named_parameters():
        torch.testing.assert_close(average.state_dict()[name], value)


def test_lending_gives_the_weights_back_to_the_last_bit():
    model = ToyModel(ToyDataset().spec)
    average = MovingAverage(model, 0.9)
    shake(model, torch.Generator().manual_seed(0))
    before = bits(model)
    with average.applied():
        assert bits(model) != before
        torch.testing.assert_close(model.hidden.weight.detach(), average.averages["hidden.weight"])
    assert bits(model) == before


def test_without_decay_the_models_own_weights_are_lent():
    model = ToyModel(ToyDataset().spec)
    average = MovingAverage(model, 0.0)
    shake(model, torch.Generator().manual_seed(0))
    average.update(1)
    before = bits(model)
    with average.applied():
        assert bits(model) == before
    assert average.state_dict() == {}


def test_frozen_weights_are_not_kept_and_buffers_are():
    names = set(trained_tensors(ToyModel(ToyDataset().spec)))
    assert "frozen.weight" not in names
    assert {"hidden.weight", "norm.running_mean", "norm.num_batches_tracked"} <= names
