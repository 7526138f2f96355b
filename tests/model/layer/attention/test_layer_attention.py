"""Attention, rotary positions and the transformer block against plain formulas."""

import math

import pytest
import torch
from einops import rearrange
from timm.layers import apply_rot_embed, build_rotary_pos_embed

from ablate.errors import AblateError
from ablate.model.layer.attention.rotary import axial_places, keep_angles, raster_places, rotary_angles, rotate
from ablate.model.layer.attention.self_attention import Attention
from ablate.model.layer.attention.transformer_block import TransformerBlock

CPU = torch.device("cpu")


def plain_attention(module: Attention, x: torch.Tensor, angles: torch.Tensor | None) -> torch.Tensor:
    """Softmax attention written out, one group and head at a time."""
    out = torch.zeros(*x.shape[:3], module.out.in_features, dtype=x.dtype)
    q, k, v = (x @ w.T for w in module.qkv.weight.chunk(3))
    width = q.shape[-1] // module.heads
    for b in range(x.shape[0]):
        for g in range(x.shape[1]):
            for head in range(module.heads):
                part = slice(head * width, (head + 1) * width)
                qh, kh, vh = module.q_norm(q[b, g, :, part]), module.k_norm(k[b, g, :, part]), v[b, g, :, part]
                if angles is not None:
                    qh, kh = turn(qh, angles), turn(kh, angles)
                scores = qh @ kh.T / math.sqrt(width)
                if module.causal:
                    later = torch.ones_like(scores).triu(1).bool()
                    scores = scores.masked_fill(later, -torch.inf)
                out[b, g, :, part] = scores.softmax(-1) @ vh
    return module.out(out)


def turn(x: torch.Tensor, angles: torch.Tensor) -> torch.Tensor:
    """The pairs as complex numbers times exp(i angle)."""
    half = x.shape[-1] // 2
    turned = torch.complex(x[..., :half], x[..., half:]) * torch.polar(torch.ones_like(angles), angles)
    return torch.cat([turned.real, turned.imag], -1)


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("qk_norm", [True, False])
def test_attention_is_softmax_of_scaled_products(causal: bool, qk_norm: bool) -> None:
    torch.manual_seed(0)
    module = Attention(12, heads=2, head_dim=4, causal=causal, qk_norm=qk_norm).double()
    x = torch.randn(2, 3, 5, 12, dtype=torch.float64)
    torch.testing.assert_close(module(x, None), plain_attention(module, x, None), rtol=1e-5, atol=1e-6)


def test_attention_with_rotary_positions_is_softmax_of_turned_products() -> None:
    torch.manual_seed(0)
    module = Attention(12, heads=2, head_dim=8, causal=True, qk_norm=False)
    x = torch.randn(2, 3, 5, 12)
    angles = rotary_angles(raster_places(5, CPU), 8)
    torch.testing.assert_close(module(x, angles), plain_attention(module, x, angles), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("qk_norm", [False, True])
def test_a_token_that_is_alone_is_its_own_value(qk_norm: bool) -> None:
    attention = Attention(12, heads=2, head_dim=8, causal=True, qk_norm=qk_norm)
    pair = torch.randn(3, 4, 2, 12)
    torch.testing.assert_close(attention(pair[:, :, :1], None), attention(pair, None)[:, :, :1])


def test_a_later_token_never_reaches_an_earlier_one_in_causal_attention() -> None:
    module = Attention(8, heads=2, head_dim=4, causal=True, qk_norm=False)
    x = torch.randn(1, 2, 6, 8)
    changed = x.clone()
    changed[:, :, 4:] = 1e3
    before, after = module(x, None), module(changed, None)
    assert torch.equal(before[:, :, :4], after[:, :, :4])
    assert not torch.allclose(before[:, :, 4:], after[:, :, 4:])


def test_axial_angles_are_those_of_timm() -> None:
    sin, cos = build_rotary_pos_embed([3, 4], dim=16, in_pixels=False, max_res=4)
    ours = rotary_angles(axial_places(3, 4, CPU), 16)
    x = torch.randn(12, 16)
    first, second = rotate(x, ours).chunk(2, -1)
    interleaved = rearrange(torch.stack(x.chunk(2, -1)), "two s pairs -> s (pairs two)")
    theirs = apply_rot_embed(interleaved, sin, cos)  # neighbours are pairs there, half a head apart here
    torch.testing.assert_close(rearrange(torch.stack([first, second]), "two s pairs -> s (pairs two)"), theirs)


def test_rotary_scores_depend_on_the_difference_of_places_alone() -> None:
    angles = rotary_angles(raster_places(20, CPU), 8)
    q, k = torch.randn(8), torch.randn(8)
    score = [float(rotate(q, angles[p + 3]) @ rotate(k, angles[p])) for p in (0, 5, 16)]
    assert score == pytest.approx([score[0]] * 3, abs=1e-5)


def test_the_angles_of_kept_places_are_picked_for_each_sample() -> None:
    angles = rotary_angles(raster_places(5, CPU), 4)
    kept = torch.tensor([[0, 4], [1, 2]])
    picked = keep_angles(angles, kept)
    assert picked.shape == (2, 1, 1, 2, 2)
    assert torch.equal(picked[1, 0, 0], angles[[1, 2]])


def test_a_head_that_cannot_be_shared_out_is_refused() -> None:
    with pytest.raises(AblateError, match="divisible by 4, not 6"):
        rotary_angles(axial_places(2, 2, CPU), 6)


def test_drop_path_skips_a_branch_for_a_whole_sample() -> None:
    torch.manual_seed(0)
    block = TransformerBlock(
        8, heads=2, head_dim=4, ff_dim=16, causal=False, qk_norm=False, dropout=0.0, drop_path=0.5
    ).train()
    x = torch.randn(64, 3, 4, 8)
    unchanged = (block(x, None) == x).flatten(2).all(-1)  # sample, group
    assert unchanged.any()
    assert not unchanged.all()
    assert torch.equal(unchanged.all(1), unchanged.any(1))  # all groups of a sample, or none


def test_the_feed_forward_is_swiglu() -> None:
    block = TransformerBlock(8, heads=2, head_dim=4, ff_dim=16, causal=False, qk_norm=False, dropout=0.0, drop_path=0.0)
    x = torch.randn(5, 8)
    ff = block.feed_forward
    gate, value = (x @ ff.fc1.weight.T + ff.fc1.bias).chunk(2, -1)
    expected = (gate * torch.sigmoid(gate) * value) @ ff.fc2.weight.T + ff.fc2.bias
    torch.testing.assert_close(ff(x), expected)


def test_a_block_has_as_many_weights_as_the_formula_says() -> None:
    block = TransformerBlock(
        192, heads=4, head_dim=48, ff_dim=768, causal=True, qk_norm=False, dropout=0.1, drop_path=0.05
    )
    attention = 192 * 3 * 192 + 192 * 192 + 192
    feed_forward = 192 * 1536 + 1536 + 768 * 192 + 192
    assert sum(p.numel() for p in block.parameters()) == attention + feed_forward + 2 * 192 == 592_128
