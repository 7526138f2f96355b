"""The traps of video fusion, each shown on the naive form first, then on ours."""

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence

from ablate.contract import FusionBatch, FusionSpec, Target
from ablate.model.fusion import FusionConfig
from ablate.model.layer.attention.masked_attention import CrossAttention
from ablate.model.mixer.gru import GruConfig
from ablate.model.mixer.ragged import zero_pads
from ablate.model.mixer.s4d import S4dLayer
from ablate.model.video.small_vit import SmallVitConfig
from ablate.model.video.tubelet import TubeletTokens


def test_multiplying_by_the_mask_keeps_nan_and_filling_does_not() -> None:
    x = torch.full((1, 2, 3), torch.nan)
    mask = torch.tensor([[False, False]])
    assert torch.isnan(x * mask[..., None]).all()
    assert (zero_pads(x, mask) == 0).all()


def test_torchs_attention_gives_nan_on_an_empty_row_and_ours_zero() -> None:
    x, media = torch.randn(1, 2, 8), torch.randn(1, 3, 8)
    visible = torch.tensor([[[False] * 3, [True] * 3]])
    naive, _ = nn.MultiheadAttention(8, 2, batch_first=True)(x, media, media, attn_mask=~visible[0])
    assert torch.isnan(naive[0, 0]).all()
    out = CrossAttention(8, 2)(x, media, visible)
    assert (out[0, 0] == 0).all()
    assert torch.isfinite(out).all()


def test_packing_fails_on_an_absent_interval_and_ours_gives_zero() -> None:
    with pytest.raises(RuntimeError, match="greater than 0"):
        pack_padded_sequence(torch.randn(2, 3, 4), torch.tensor([3, 0]), batch_first=True)
    mask = torch.tensor([[[True] * 3, [False] * 3]])
    out = GruConfig().build(4, 2, 3)(torch.randn(1, 2, 3, 4), mask)
    assert (out[0, 1] == 0).all()


def test_one_nan_spreads_through_a_plain_fft_and_stops_at_ours() -> None:
    x = torch.randn(1, 6)
    x[0, 5] = torch.nan
    assert torch.isnan(torch.fft.irfft(torch.fft.rfft(x) * torch.fft.rfft(torch.randn(1, 6)))).all()
    valid = torch.tensor([[True] * 5 + [False]])
    assert torch.isfinite(S4dLayer(1, 1, 4, 6)(x[..., None], valid)).all()


def test_a_grey_image_is_a_frame_and_not_a_pad() -> None:
    """Zero after normalisation is a grey image: a rule that takes zeros for pads would lose it."""
    torch.manual_seed(0)
    grey = torch.full((1, 2, 2, 3, 8, 8), 127.5)
    encoder = SmallVitConfig(width=8, heads=2).build((3, 8, 8), 2, 2)
    assert (encoder.pixels.prepare(grey[0, 0]) == 0).all()
    mask = torch.tensor([[[True, False], [False, False]]])
    tokens = encoder(grey, mask, None)
    assert (tokens[0, 0, 0] != 0).any()
    assert (tokens[~mask] == 0).all()
    tubelets = TubeletTokens((3, 8, 8), 2, 2, 4, 8)
    one, both = tubelets(grey, mask), tubelets(grey, torch.ones_like(mask))
    assert (
        one[0, 0] - both[0, 0]
    ).abs().max() > 1e-3  # a grey frame beside a pad is not a grey frame beside a grey one


def test_the_second_layer_of_a_stack_sees_no_pad_that_the_first_filled() -> None:
    """A bias fills zeroed pads again: with pads in mid-sequence the next causal layer would read them."""
    torch.manual_seed(0)
    mixer = GruConfig(depth=2, direction="both").build(4, 1, 4)
    tokens = torch.randn(1, 1, 4, 4)
    mask = torch.tensor([[[True, False, True, True]]])
    naive = tokens[0].masked_fill(~mask[0][..., None], 0.0)
    valid = torch.ones_like(mask[0])
    for depth in range(2):
        h = mixer.norms[depth](naive)
        naive = naive + mixer.forwards[depth](h, valid) + mixer.backwards[depth](h.flip(1), valid).flip(1)
    short = mixer(tokens[:, :, [0, 2, 3]], torch.ones(1, 1, 3, dtype=torch.bool))
    torch.testing.assert_close(mixer(tokens, mask)[0, 0, [0, 2, 3]], short[0, 0])
    assert (mixer.norm_out(naive)[0, [0, 2, 3]] - short[0, 0]).abs().max() > 1e-3


def test_own_mask_with_clip_scope_still_knows_other_intervals_frames() -> None:
    """The mask bounds latents, not frames: this is what the isolation matrix is for."""
    torch.manual_seed(0)
    spec = FusionSpec(("a",), 2, 3, (4,), 2, 32, 2, (0.5, 0.5), "interval")
    frames, mask = torch.randn(1, 2, 3, 4), torch.ones(1, 2, 3, dtype=torch.bool)
    other = frames.clone()
    other[:, 0] = torch.randn(1, 3, 4)
    labels = torch.zeros(1, 2, dtype=torch.long)
    eeg, targets = torch.randn(1, 2, 32), (Target(0, labels, labels == 0),)
    for scope, leaks in (("interval", False), ("clip", True)):
        config = {"embedding_dim": 8, "mixer": {"type": "gru", "scope": scope}, "fusion": {"type": "cross_attention"}}
        model = FusionConfig.model_validate(config).build(spec).eval()
        before, after = (model(FusionBatch(eeg, shown, mask, targets))[0] for shown in (frames, other))
        assert bool((before[:, 1] != after[:, 1]).any()) == leaks
        assert (before[:, 0] != after[:, 0]).any()
