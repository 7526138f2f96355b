"""Fusion of EEG tokens with video latents: masks, gates, empty rows, absent intervals."""

from typing import get_args

import pytest
import torch
from pydantic import TypeAdapter

from ablate.model.crossmodal import CrossmodalConfig
from ablate.model.crossmodal.gated_cross_attention import GatedCrossAttentionConfig
from ablate.model.crossmodal.mask import MaskName, interval_mask

KINDS = ["none", "late", "concat", "cross_attention", "gated_cross_attention"]
OF_TOKEN = torch.arange(4).repeat_interleave(2)


def build(kind: str, **options: object) -> torch.nn.Module:
    torch.manual_seed(0)
    if kind == "gated_cross_attention":
        options = {"gate_init": 0.5, **options}
    config = TypeAdapter(CrossmodalConfig).validate_python({"type": kind, **options})
    return config.build(8, OF_TOKEN, 4, 3)


def given() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(1)
    present = torch.ones(2, 4, dtype=torch.bool)
    return torch.randn(2, 8, 8, generator=generator), torch.randn(2, 4, 3, 8, generator=generator), present


def reach(kind: str, **options: object) -> list[list[int]]:
    """Which intervals' latents change the tokens of each interval."""
    fusion = build(kind, **options)
    tokens, media, present = given()
    reached: list[list[int]] = [[] for _ in range(4)]
    for changed in range(4):
        other = media.clone()
        other[:, changed] += 3
        change = (fusion(tokens, other, present) - fusion(tokens, media, present)).abs().amax(dim=(0, 2))
        for interval in range(4):
            if change[interval == OF_TOKEN].max() > 0:
                reached[interval].append(changed)
    return reached


@pytest.mark.parametrize("kind", ["cross_attention", "gated_cross_attention"])
def test_each_mask_lets_a_token_see_exactly_its_intervals(kind: str) -> None:
    assert reach(kind, mask="own") == [[0], [1], [2], [3]]
    assert reach(kind, mask="past") == [[0], [0, 1], [0, 1, 2], [0, 1, 2, 3]]
    assert reach(kind, mask="all") == [[0, 1, 2, 3]] * 4
    assert reach(kind, mask="shift") == [[], [0], [1], [2]]


def test_concat_sees_its_own_interval_and_late_the_whole_clip() -> None:
    assert reach("concat") == [[0], [1], [2], [3]]
    assert reach("late") == [[0, 1, 2, 3]] * 4
    assert reach("none") == [[]] * 4


@pytest.mark.parametrize("name", get_args(MaskName))
def test_masks_come_from_the_interval_index_whatever_the_order(name: MaskName) -> None:
    of_token, of_latent = torch.tensor([2, 0, 2]), torch.tensor([1, 2, 0])
    expected = {
        "own": [[0, 1, 0], [0, 0, 1], [0, 1, 0]],
        "past": [[1, 1, 1], [0, 0, 1], [1, 1, 1]],
        "all": [[1, 1, 1]] * 3,
        "shift": [[1, 0, 0], [0, 0, 0], [1, 0, 0]],
    }
    assert interval_mask(name, of_token, of_latent).int().tolist() == expected[name]


@pytest.mark.parametrize("kind", KINDS)
def test_a_trial_without_any_video_passes_unchanged(kind: str) -> None:
    fusion = build(kind)
    tokens, media, present = given()
    present[1] = False
    out = fusion(tokens, media.masked_fill(~present[..., None, None], 0.0), present)
    assert torch.equal(out[1], tokens[1])
    assert kind == "none" or not torch.equal(out[0], tokens[0])


@pytest.mark.parametrize("kind", ["concat", "cross_attention", "gated_cross_attention"])
def test_tokens_of_an_absent_interval_pass_unchanged_and_gradients_stay_finite(kind: str) -> None:
    fusion = build(kind)
    tokens, media, present = given()
    present[0, 2] = False
    tokens.requires_grad_()
    out = fusion(tokens, media.masked_fill(~present[..., None, None], 0.0), present)
    assert torch.equal(out[0, OF_TOKEN == 2], tokens[0, OF_TOKEN == 2])
    out.square().sum().backward()
    assert tokens.grad is not None
    assert torch.isfinite(tokens.grad).all()
    for name, parameter in fusion.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name


def test_a_late_interval_keeps_its_place_when_an_earlier_one_is_absent() -> None:
    """The widely copied form counts markers, so one missing clip moves all later tokens to the wrong interval."""
    fusion = build("gated_cross_attention")
    tokens, media, present = given()
    full = fusion(tokens, media, present)
    present[:, 1] = False
    missing = fusion(tokens, media.masked_fill(~present[..., None, None], 0.0), present)
    torch.testing.assert_close(missing[:, OF_TOKEN >= 2], full[:, OF_TOKEN >= 2])


def test_closed_gates_are_the_identity_and_only_they_get_gradient_at_first() -> None:
    fusion = build("gated_cross_attention", gate_init=0.0)
    tokens, media, present = given()
    out = fusion(tokens, media, present)
    assert torch.equal(out, tokens)
    (out * torch.randn(out.shape)).sum().backward()
    moved = {name for name, p in fusion.named_parameters() if p.grad is not None and p.grad.abs().max() > 0}
    assert moved == {"layers.0.a", "layers.0.g"}


def test_gates_tell_how_far_they_opened() -> None:
    config = GatedCrossAttentionConfig(gate_init=0.5, depth=2)
    gates = config.build(8, OF_TOKEN, 4, 3).gates()
    assert list(gates) == ["tanh_a_0", "tanh_g_0", "tanh_a_1", "tanh_g_1"]
    assert gates["tanh_a_0"] == pytest.approx(0.46211716)
