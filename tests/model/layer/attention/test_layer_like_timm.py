"""Norm, feed-forward, drop-path and place dropout against timm's, whose import they spare: the same bits and draws."""

import subprocess
import sys

import pytest
import torch
from timm.layers import DropPath as TimmDropPath
from timm.layers import GluMlp, PatchDropoutWithIndices, RmsNormFp32
from torch import nn

from ablate.model.layer.attention.feed_forward import DropPath, SwiGlu
from ablate.model.layer.attention.place_dropout import PlaceDropout
from ablate.model.layer.norm import RmsNorm

PAIRS = {
    "norm": lambda: (RmsNorm(12), RmsNormFp32(12)),
    "feed forward": lambda: (
        SwiGlu(12, 20, 0.3),
        GluMlp(12, 40, act_layer=nn.SiLU, gate_last=False, drop=(0.0, 0.3)),
    ),
    "drop path": lambda: (DropPath(0.4), TimmDropPath(0.4)),
    "no drop path": lambda: (DropPath(0.0), TimmDropPath(0.0)),
}


def seeded(make):
    torch.manual_seed(3)
    return make()


@pytest.mark.parametrize("training", [True, False], ids=["training", "evaluation"])
@pytest.mark.parametrize("name", PAIRS)
def test_values_gradients_weights_and_draws_are_timms_to_the_last_bit(name, training):
    (ours, theirs), again = PAIRS[name](), PAIRS[name]
    ours, theirs = seeded(again)[0], seeded(lambda: again()[::-1])[0]  # each is built first after the seed
    assert sorted(ours.state_dict()) == sorted(theirs.state_dict())
    ours.load_state_dict(theirs.state_dict())
    found = []
    for module in (ours.train(training), theirs.train(training)):
        x = seeded(lambda: torch.randn(6, 5, 12)).requires_grad_()
        y = module(x)
        found.append([y, *torch.autograd.grad((y * y).sum(), (x, *module.parameters())), torch.rand(1)])
    for mine, its in zip(*found, strict=True):
        assert torch.equal(mine, its)


@pytest.mark.parametrize("name", ["feed forward", "norm"])
def test_they_start_at_timms_weights(name):
    build = PAIRS[name]
    ours = seeded(build)[0].state_dict()
    torch.manual_seed(3)
    if name == "feed forward":
        theirs = GluMlp(12, 40, act_layer=nn.SiLU, gate_last=False).state_dict()
    else:
        theirs = RmsNormFp32(12).state_dict()
    assert all(torch.equal(ours[key], theirs[key]) for key in theirs)


@pytest.mark.parametrize("share", [0.0, 0.05, 0.5, 0.99])
def test_the_same_places_are_left_out_as_by_timm(share):
    tokens = torch.randn(4, 9, 6)
    ours, theirs = PlaceDropout(share), PatchDropoutWithIndices(share, num_prefix_tokens=0, ordered=True)
    kept, which = seeded(lambda: ours(tokens))
    expected, index = seeded(lambda: theirs(tokens))
    assert torch.equal(kept, expected)
    assert (which is None) == (index is None) == (share == 0)
    assert which is None or torch.equal(which, index)
    assert ours.eval()(tokens)[1] is None


def test_what_every_command_loads_holds_neither_timm_nor_torchs_compiler():
    """They took 2.5 of the 5.6 seconds of imports, before anything else was done."""
    code = "import sys, ablate.study.running.train, ablate.study.flow, ablate.variant; "
    code += "print([name for name in ('timm', 'torchvision', 'torch._dynamo', 'scipy.sparse') if name in sys.modules])"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"
