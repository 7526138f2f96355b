"""Readouts against torch's own Gaussian, the same place on different maps, and what the bound on std promises."""

import math
from typing import get_args

import pytest
import torch
from pydantic import TypeAdapter
from torch.distributions import MultivariateNormal

from ablate.contract import FeatureMap
from ablate.model.readout import FactorizedConfig, GaussianConfig, PooledConfig, ReadoutConfig

MAP = FeatureMap.of_grid(5, 4, 3)
RATES = (0.1, 2.0, 0.5, 0.0)
CONFIGS = [
    *(GaussianConfig(bound=bound) for bound in get_args(GaussianConfig.model_fields["bound"].annotation)),
    FactorizedConfig(),
    *(PooledConfig(type=name) for name in get_args(PooledConfig.model_fields["type"].annotation)),
]
every_readout = pytest.mark.parametrize("config", CONFIGS, ids=repr)


def tiled(cells, grid=51):
    """The map of `cells` x `cells` patches cut from a grid of pixels, cropped in the centre."""
    pixels = torch.linspace(-1, 1, grid)
    size = grid // cells
    first = (grid - size * cells) // 2
    centers = pixels[first : first + size * cells].reshape(cells, size).mean(1)
    return FeatureMap(2, cells, cells, 8, tuple(centers.tolist()), tuple(centers.tolist()))


def test_gaussian_has_channels_plus_six_parameters_a_unit():
    readout = GaussianConfig().build(FeatureMap.of_grid(192, 6, 6), (0.5,) * 8)
    assert sum(p.numel() for p in readout.parameters()) == 8 * (192 + 6) == 1_584


@pytest.mark.parametrize("input", [tiled(6), tiled(12), FeatureMap.of_grid(2, 13, 13)], ids=lambda m: m.height)
def test_a_gaussian_reads_the_same_place_of_the_stimulus_on_every_map(input):
    readout = GaussianConfig(std=0.3).build(input, (1.0,))
    with torch.no_grad():
        readout.mean.copy_(torch.tensor([[0.3, -0.4]]))
        readout.features.copy_(torch.tensor([[1.0, 0.0]]))
        readout.bias.zero_()
    rows, cols = torch.tensor(input.row_centers), torch.tensor(input.col_centers)

    def read(picture):  # a linear picture is read at the Gaussian's centre
        return readout(picture.expand(1, 2, 1, -1, -1)).item()

    assert read(rows[:, None] + 0 * cols) == pytest.approx(0.3, abs=0.03)
    assert read(cols + 0 * rows[:, None]) == pytest.approx(-0.4, abs=0.03)


def test_weights_are_a_rotated_normal_density_normalised_over_the_map():
    readout = GaussianConfig().build(FeatureMap.of_grid(2, 9, 11), (1.0, 1.0))
    angle = torch.tensor([0.4, -1.1])
    with torch.no_grad():
        readout.mean.copy_(torch.tensor([[0.2, -0.3], [0.0, 0.5]]))
        readout.log_std.copy_(torch.tensor([[0.5, 0.2], [0.3, 0.9]]).log())
        readout.angle.copy_(angle)
    for unit, weights in enumerate(readout.gaussians()):
        cos, sin = math.cos(angle[unit]), math.sin(angle[unit])
        turn = torch.tensor([[cos, sin], [-sin, cos]])
        covariance = turn.T @ torch.diag(readout.log_std[unit].exp() ** 2) @ turn
        density = MultivariateNormal(readout.mean[unit], covariance).log_prob(readout.places).exp()
        torch.testing.assert_close(weights, density / density.sum(), atol=1e-6, rtol=1e-4)


def test_gaussian_readout_is_the_sum_of_its_docstring():
    readout = GaussianConfig().build(MAP, RATES)
    features = torch.randn(2, 5, 3, 4, 3)
    masks = readout.gaussians().reshape(4, 4, 3)
    expected = torch.einsum("ud,uhw,bdnhw->bnu", readout.features, masks, features) + readout.bias
    torch.testing.assert_close(readout(features), expected)


@every_readout
def test_the_bias_starts_at_the_log_mean_rate(config):
    readout = config.build(MAP, RATES)
    out = readout(torch.zeros(2, 5, 3, 4, 3))
    torch.testing.assert_close(out[0, 0, :3].exp(), torch.tensor(RATES[:3]))
    assert torch.isfinite(out).all()  # the silent unit too


@every_readout
def test_every_parameter_gets_a_gradient(config):
    readout = config.build(MAP, RATES)
    out = readout(torch.randn(2, 5, 3, 4, 3))
    assert out.shape == (2, 3, 4)
    loss = (out * torch.randn_like(out)).sum()
    loss.backward()
    for name, parameter in readout.named_parameters():
        if name == "angle":  # a round Gaussian does not feel its angle
            continue
        assert parameter.grad is not None
        assert (parameter.grad.flatten(1) if parameter.ndim > 1 else parameter.grad).abs().sum() > 0


def test_the_angle_gets_a_gradient_once_a_gaussian_is_not_round():
    readout = GaussianConfig().build(MAP, RATES)
    with torch.no_grad():
        readout.log_std[:, 0] -= 0.5
    out = readout(torch.randn(2, 5, 3, 4, 3))
    (out * torch.randn_like(out)).sum().backward()
    assert (readout.angle.grad.abs() > 0).all()


def test_geometry_takes_no_weight_decay_and_weights_do():
    readout = GaussianConfig().build(MAP, RATES)
    free = {n for n, p in readout.named_parameters() if p.ndim < 2 or getattr(p, "no_decay", False)}
    assert free == {"mean", "log_std", "angle", "bias"}


def test_the_bound_tightens_and_a_unit_at_it_keeps_its_gradient():
    readout = GaussianConfig(std=3.0).build(MAP, RATES)
    with torch.no_grad():
        readout.mean.fill_(0.2)
    readout.progress(0.0)
    assert readout.log_std.exp().max().item() == pytest.approx(3.0)
    readout.progress(0.25)
    assert readout.log_std.exp().max().item() == pytest.approx(math.sqrt(3.2 * 0.48))
    for fraction in (0.5, 0.9, 1.0):
        readout.progress(fraction)
        assert readout.log_std.exp().max().item() == pytest.approx(0.48)
    out = readout(torch.randn(2, 5, 3, 4, 3))
    (out * torch.randn_like(out)).sum().backward()
    assert (readout.log_std.grad.abs() > 0).all()


def test_a_bound_in_map_pixels_halves_on_a_map_twice_as_fine_and_one_in_stimulus_units_does_not():
    def last(bound, cells):
        readout = GaussianConfig(bound=bound, std=5.0).build(tiled(cells), (1.0,))
        readout.progress(1.0)
        return readout.log_std.exp().max().item()

    assert last("map_pixels", 6) == pytest.approx(1.5 * 8 * 2 / 50, rel=1e-4)
    assert last("map_pixels", 12) == pytest.approx(last("map_pixels", 6) / 2, rel=1e-4)
    assert last("stimulus", 12) == last("stimulus", 6) == pytest.approx(0.48)


def test_means_stay_on_the_stimulus_and_no_gaussian_vanishes():
    readout = GaussianConfig().build(MAP, RATES)
    with torch.no_grad():
        readout.mean.fill_(7.0)
        readout.log_std.fill_(-30.0)
    readout.progress(0.3)
    assert readout.mean.max() == 1
    assert torch.isfinite(readout.gaussians()).all()
    assert readout.log_std.exp().min().item() == pytest.approx(0.04)


def test_on_a_single_cell_the_gaussian_reads_that_cell():
    readout = GaussianConfig(bound="map_pixels").build(FeatureMap.of_grid(5, 1, 1), RATES)
    torch.testing.assert_close(readout.gaussians(), torch.ones(4, 1))


@every_readout
def test_the_penalty_is_the_l1_norm_of_the_weights(config):
    readout = type(config)(type=config.type, l1=0.5).build(MAP, RATES)
    expected = 0.5 * readout.features.abs().sum()
    if config.type == "factorized":
        expected = expected + 1e-4 * readout.mask.abs().sum()
    torch.testing.assert_close(readout.penalty(), expected)


def test_factorized_is_mask_times_features():
    readout = FactorizedConfig().build(MAP, RATES)
    features = torch.randn(2, 5, 3, 4, 3)
    expected = torch.einsum("ud,uhw,bdnhw->bnu", readout.features, readout.mask, features) + readout.bias
    torch.testing.assert_close(readout(features), expected)


@pytest.mark.parametrize("name", ["pooled", "none"])
def test_pooled_knows_no_place(name):
    readout = TypeAdapter(ReadoutConfig).validate_python({"type": name}).build(MAP, RATES)
    features = torch.randn(2, 5, 3, 4, 3)
    shuffled = features.flatten(-2)[..., torch.randperm(12)].reshape(features.shape)
    torch.testing.assert_close(readout(shuffled), readout(features))
    expected = features.mean((-2, -1)).mT @ readout.features.T + readout.bias
    torch.testing.assert_close(readout(features), expected)


@every_readout
def test_readouts_work_on_the_meta_device_and_keep_float32_under_autocast(config):
    with torch.device("meta"):
        assert config.build(MAP, RATES)(torch.randn(1, 5, 3, 4, 3)).shape == (1, 3, 4)
    readout, features = config.build(MAP, RATES), torch.randn(1, 5, 3, 4, 3)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = readout(features)
    assert out.dtype == torch.float32
    torch.testing.assert_close(out, readout(features), atol=0.02, rtol=0.02)


@pytest.mark.parametrize("config", [GaussianConfig(), FactorizedConfig()], ids=repr)
def test_the_two_orders_of_the_sums_over_cells_and_channels_give_the_same_rates_and_gradients(config):
    """Twelve cells: a batch of 6 bins pools the cells first, the same rows among 30 bins do not. Tolerance 1e-5."""
    readout = config.build(MAP, RATES)
    features = torch.randn(10, 5, 3, 4, 3)
    grad = torch.randn(2, 3, 4)
    few, many = readout(features[:2]), readout(features)[:2]
    torch.testing.assert_close(few, many, rtol=1e-5, atol=1e-5)
    weights = [parameter for name, parameter in readout.named_parameters() if name != "angle"]
    first, second = (torch.autograd.grad(rates, weights, grad) for rates in (few, many))
    for ours, theirs in zip(first, second, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-5)
