"""The loop with a backward pass of its own against autograd through the plain loop."""

from typing import get_args

import pytest
import torch

from ablate.contract import FeatureMap
from ablate.model.layer.convolution.prepared import Direct, prepare
from ablate.model.layer.winograd.prepared import WinogradKernel
from ablate.model.modulator import ConvGruConfig, recurrence
from ablate.model.modulator.recurrence import recur, recurrence_pays

NORMS = get_args(ConvGruConfig.model_fields["norm"].annotation)
CELLS = get_args(ConvGruConfig.model_fields["cell"].annotation)
SIZES = [(2, 2), (4, 3)]  # every cell meets every other; torch's own convolution


def built(cell="standard", norm="groups", size=(2, 2), hidden=6):
    torch.manual_seed(0)
    gru = ConvGruConfig(hidden_dim=hidden, cell=cell, norm=norm).build(FeatureMap.of_grid(5, *size), 2)
    with torch.no_grad():
        for parameter in gru.parameters():
            parameter.add_(0.3 * torch.randn_like(parameter))
    driven = torch.randn(5, 24, 3 * hidden, *size)
    return gru, driven


def values_and_gradients(gru, driven, loop):
    driven = driven.clone().requires_grad_()
    states = loop(driven)
    torch.manual_seed(1)
    inputs = (driven, gru.start, gru.from_hidden.weight, *gru.norm.parameters())
    return states, *torch.autograd.grad(states, inputs, torch.randn(states.shape).to(states))


def fast(gru):
    return lambda driven: recur(driven, gru.start, gru.from_hidden.weight, gru.norm, gru.adds_state)


@pytest.mark.parametrize("steps", [5, 2, 1])
@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("norm", NORMS)
@pytest.mark.parametrize("cell", CELLS)
def test_states_and_gradients_are_those_of_the_plain_loop_in_double_precision(cell, norm, size, steps):
    gru, driven = built(cell, norm, size)
    gru, driven = gru.double(), driven[:steps].double()
    expected = values_and_gradients(gru, driven, gru._loop)
    found = values_and_gradients(gru, driven, fast(gru))
    for ours, theirs in zip(found, expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(("size", "hidden"), [((2, 2), 32), ((4, 4), 32), ((9, 9), 40)], ids=str)
def test_in_single_precision_they_differ_by_rounding(size, hidden):
    """Tolerance: 5e-5 of the largest value, against double precision; Winograd's tiles included."""
    gru, driven = built(size=size, hidden=hidden)
    found = values_and_gradients(gru, driven, fast(gru))
    gru, driven = gru.double(), driven.double()
    for ours, exact in zip(found, values_and_gradients(gru, driven, gru._loop), strict=True):
        assert (ours - exact).abs().max() < 5e-5 * exact.abs().max()


def test_a_planted_fault_in_the_backward_pass_is_seen(monkeypatch):
    gru, driven = built()
    expected = values_and_gradients(gru, driven, gru._loop)
    monkeypatch.setattr(recurrence, "tanh_backward", lambda grad, value: grad)
    found = values_and_gradients(gru, driven, fast(gru))
    assert not any(
        torch.allclose(ours, theirs, rtol=1e-3) for ours, theirs in zip(found[1:], expected[1:], strict=True)
    )


def test_the_plain_loop_stays_where_the_other_is_not_exact_or_not_known_to_be_faster():
    _, driven = built()
    assert recurrence_pays(driven)
    assert not recurrence_pays(driven.to("meta"))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert not recurrence_pays(driven)


def test_a_kernel_that_is_asked_once_is_not_transformed():
    """P1 with one step of the core: three times as long by Winograd's tiles as direct."""
    weight = torch.zeros(3 * 192, 192, 3, 3)
    assert isinstance(prepare(weight, 12, 12, 8, calls=5), WinogradKernel)
    assert isinstance(prepare(weight, 12, 12, 1, calls=1), Direct)
