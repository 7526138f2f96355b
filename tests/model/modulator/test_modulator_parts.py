"""Modulators against a plain loop in float64, the parameter counts of the reference, and causality."""

from typing import get_args

import pytest
import torch
from pydantic import TypeAdapter
from torch.nn import functional

from ablate.contract import FeatureMap
from ablate.errors import AblateError
from ablate.model.modulator import (
    ConcatConfig,
    ConvGruConfig,
    FilmConfig,
    ModulatorConfig,
    NoModulatorConfig,
)

MAP = FeatureMap.of_grid(5, 4, 3)
NORMS = get_args(ConvGruConfig.model_fields["norm"].annotation)
CELLS = get_args(ConvGruConfig.model_fields["cell"].annotation)
GRUS = [ConvGruConfig(hidden_dim=7, beh_emb_dim=3, cell=cell, norm=norm) for cell in CELLS for norm in NORMS]
BEHAVIORAL = [ConcatConfig(), FilmConfig(), ConvGruConfig(hidden_dim=5, kernel_size=1), *GRUS]
every_modulator = pytest.mark.parametrize("config", BEHAVIORAL, ids=repr)


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize(
    ("channels", "hidden", "embedding", "parameters"),
    [(192, 192, 16, 2_113_264), (192, 256, 32, 3_387_488), (256, 256, 32, 3_829_856)],
)
def test_convgru_has_the_parameters_of_the_reference(channels, hidden, embedding, parameters):
    with torch.device("meta"):
        modulator = ConvGruConfig(hidden_dim=hidden, beh_emb_dim=embedding).build(
            FeatureMap.of_grid(channels, 6, 6), behaviors=42
        )
    assert count(modulator) == parameters
    assert modulator.out.channels == hidden


def plain_gru(gru, config, features, behavior):
    """The docstring's formulas, one step at a time, every convolution in float64."""
    weights = {name: value.detach().double() for name, value in gru.named_parameters()}
    padding = config.kernel_size // 2
    hidden = config.hidden_dim
    batch, _, steps, height, width = features.shape
    state = weights["start"][None, :, None, None].expand(batch, hidden, height, width)
    outputs = []
    for t in range(steps):
        embedded = behavior[:, t] @ weights["embedding.weight"].T + weights["embedding.bias"]
        spread = embedded[:, :, None, None].expand(-1, -1, height, width)
        x = torch.cat((features[:, :, t], spread), dim=1)
        driven = functional.conv2d(x, weights["from_input.weight"], weights["from_input.bias"], padding=padding)
        term = functional.conv2d(state, weights["from_hidden.weight"], padding=padding)
        if config.norm != "none":
            groups = 3 if config.norm == "groups" else 1
            term = functional.group_norm(term, groups, weights["norm.weight"], weights["norm.bias"])
        z, r, n = driven.split(hidden, dim=1)
        hz, hr, hn = term.split(hidden, dim=1)
        z, r = 1 / (1 + torch.exp(-(z + hz))), 1 / (1 + torch.exp(-(r + hr)))
        n = torch.tanh(n + r * hn) if config.cell == "standard" else torch.tanh(n + hn + r * state)
        state = (1 - z) * state + z * n
        projected = torch.einsum("oi,bihw->bohw", weights["projection.weight"], state)
        outputs.append(projected + weights["projection.bias"][:, None, None])
    return torch.stack(outputs, dim=2)


@pytest.mark.parametrize("config", [ConvGruConfig(hidden_dim=5, kernel_size=1), *GRUS], ids=repr)
def test_convgru_is_its_formula(config):
    gru = config.build(MAP, behaviors=2)
    with torch.no_grad():
        for parameter in gru.parameters():
            parameter.add_(0.2 * torch.randn_like(parameter))
    features, behavior = torch.randn(2, 5, 6, 4, 3), torch.randn(2, 6, 2)
    expected = plain_gru(gru, config, features.double(), behavior.double())
    torch.testing.assert_close(gru(features, behavior).double(), expected, atol=1e-5, rtol=1e-4)


def test_a_norm_group_is_one_gate():
    gru = ConvGruConfig(hidden_dim=8).build(MAP, 2)
    term = torch.randn(1, 24, 4, 3)
    louder = term.clone()
    louder[:, :8] *= 50  # the update gate's hidden term alone
    assert torch.equal(gru.norm(term)[:, 8:], gru.norm(louder)[:, 8:])
    straddling = ConvGruConfig(hidden_dim=8, norm="straddling").build(MAP, 2)
    assert not torch.allclose(straddling.norm(term)[:, 8:], straddling.norm(louder)[:, 8:])


def test_the_two_cells_differ():
    outputs = []
    for cell in CELLS:
        torch.manual_seed(0)
        gru = ConvGruConfig(hidden_dim=7, cell=cell).build(MAP, 2)
        torch.manual_seed(1)
        outputs.append(gru(torch.randn(1, 5, 4, 4, 3), torch.randn(1, 4, 2)))
    assert not torch.allclose(*outputs)


@every_modulator
def test_a_future_step_or_behaviour_never_changes_a_past_output(config):
    modulator = config.build(MAP, behaviors=2).eval()
    features, behavior = torch.randn(2, 5, 6, 4, 3), torch.randn(2, 6, 2)
    before = modulator(features, behavior)
    later = features.clone()
    later[:, :, 4:] += 1
    moved = behavior.clone()
    moved[:, 4:] += 1
    for after in (modulator(later, behavior), modulator(features, moved)):
        torch.testing.assert_close(after[:, :, :4], before[:, :, :4], atol=1e-6, rtol=1e-6)
        assert not torch.allclose(after[:, :, 4:], before[:, :, 4:])


@every_modulator
def test_every_parameter_gets_a_gradient_and_shapes_are_as_announced(config):
    modulator = config.build(MAP, behaviors=2)
    out = modulator(torch.randn(2, 5, 6, 4, 3), torch.randn(2, 6, 2))
    assert out.shape == (2, modulator.out.channels, 6, 4, 3)
    assert (modulator.out.height, modulator.out.row_centers) == (4, MAP.row_centers)
    (out * torch.randn_like(out)).sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in modulator.parameters())


@every_modulator
def test_without_behaviour_the_hint_names_the_way_out(config):
    with pytest.raises(AblateError, match=f"`{config.type}` needs behaviour") as caught:
        config.build(MAP, behaviors=0)
    assert "modulator: {type: none}" in str(caught.value)
    with pytest.raises(AblateError, match="a session of this batch has none"):
        config.build(MAP, behaviors=2)(torch.randn(1, 5, 2, 4, 3), None)


@every_modulator
def test_a_stated_feature_dim_is_checked(config):
    type(config)(feature_dim=5).build(MAP, 2)
    with pytest.raises(AblateError, match="`feature_dim` is 6 and the core gives 5 channels"):
        type(config)(feature_dim=6).build(MAP, 2)


def test_an_even_kernel_is_refused():
    with pytest.raises(AblateError, match="`kernel_size` is 4"):
        ConvGruConfig(kernel_size=4).build(MAP, 2)


def test_film_is_its_formula_and_starts_near_the_identity():
    film = FilmConfig().build(MAP, 2)
    features, behavior = torch.randn(2, 5, 6, 4, 3), torch.randn(2, 6, 2)
    embedded = functional.silu(film.embedding(behavior))
    gain, shift = film.gain_shift(embedded).chunk(2, dim=-1)
    expected = torch.empty_like(features)
    for b in range(2):
        for t in range(6):
            for d in range(5):
                expected[b, d, t] = (1 + gain[b, t, d]) * features[b, d, t] + shift[b, t, d]
    torch.testing.assert_close(film(features, behavior), expected)
    assert (film(features, behavior) - features).abs().max() < 0.5


def test_concat_keeps_the_features_and_appends_behaviour_everywhere():
    concat = ConcatConfig(beh_emb_dim=3).build(MAP, 2)
    features, behavior = torch.randn(2, 5, 6, 4, 3), torch.randn(2, 6, 2)
    out = concat(features, behavior)
    assert torch.equal(out[:, :5], features)
    torch.testing.assert_close(out[:, 5:, :, 2, 1], concat.embedding(behavior).mT)
    assert (out[:, 5:] == out[:, 5:, :, :1, :1]).all()


def test_none_gives_the_features_themselves_with_or_without_behaviour():
    features = torch.randn(1, 5, 2, 4, 3)
    modulator = NoModulatorConfig().build(MAP, behaviors=0)
    assert modulator(features, None) is features
    assert modulator.out == MAP


@every_modulator
def test_modulators_work_on_the_meta_device_and_under_autocast(config):
    with torch.device("meta"):
        modulator = config.build(MAP, 2)
        assert modulator(torch.randn(1, 5, 3, 4, 3), torch.randn(1, 3, 2)).shape[1] == modulator.out.channels
    modulator = config.build(MAP, 2)
    features, behavior = torch.randn(1, 5, 3, 4, 3), torch.randn(1, 3, 2)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        out = modulator(features, behavior)
    torch.testing.assert_close(out.float(), modulator(features, behavior), atol=0.1, rtol=0.1)


def test_the_union_reads_each_type():
    read = TypeAdapter(ModulatorConfig).validate_python
    kinds = [ConvGruConfig, FilmConfig, ConcatConfig, NoModulatorConfig]
    assert [type(read({"type": kind.model_fields["type"].default})) for kind in kinds] == kinds
