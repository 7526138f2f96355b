"""The traps of video fusion, each shown on the naive form first, then on ours."""

import pytest
import torch
from pydantic import TypeAdapter
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence

from ablate.contract import FusionBatch, FusionSpec, Target
from ablate.model.crossmodal.cross_attention import CrossAttentionConfig
from ablate.model.fusion.model import FusionConfig
from ablate.model.layer.attention.masked_attention import CrossAttention, attend
from ablate.model.mixer import MixerPartConfig
from ablate.model.mixer.gru import GruConfig
from ablate.model.mixer.ragged import reverse_prefix, take, zero_pads
from ablate.model.mixer.s4d import S4dLayer, causal_fft_conv
from ablate.model.video.small_vit import SmallVitConfig
from ablate.model.video.vivit.tubelet import TubeletTokens


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


def test_the_lowest_float_leaks_everything_into_an_empty_row_and_ours_nothing() -> None:
    """The widely copied form: scores of what is masked filled with the lowest float, then a softmax over them."""
    q, k, v = torch.randn(3, 1, 1, 4, 8).unbind(0)
    visible = torch.zeros(1, 1, 4, 4, dtype=torch.bool)
    scores = (q @ k.mT).masked_fill(~visible, torch.finfo(torch.float32).min)
    torch.testing.assert_close(scores.softmax(-1) @ v, v.mean(2, keepdim=True).expand_as(v))
    assert (attend(q, k, v, visible) == 0).all()
    assert torch.isnan((q @ k.mT).masked_fill(~visible, -torch.inf).softmax(-1)).all()


def test_a_running_count_of_clips_takes_the_wrong_interval_where_one_is_absent() -> None:
    """Counting the clips that came so far, as the widely copied form does, shifts all tokens after a gap."""
    present = torch.tensor([True, False, True, True])
    of_token, of_latent = torch.arange(4), torch.arange(4)
    latents_given = of_latent[present]  # three clips stand one after another
    counted = present.cumsum(0) - 1  # the clip that each interval is matched with
    naive = [int(latents_given[index]) for index in counted]
    assert naive == [0, 0, 2, 3]  # interval 1 has no clip and is given interval 0's
    fusion = CrossAttentionConfig(interval_embedding=False).build(8, of_token, 4, 1)
    visible = fusion.visible(present[None], 1)[0]
    assert [row.nonzero().ravel().tolist() for row in visible] == [[0], [], [2], [3]]


@pytest.mark.parametrize("kind", ["gru", "tcn", "s4d", "mamba", "transformer"])
@pytest.mark.parametrize("scope", ["interval", "clip"])
@pytest.mark.parametrize("direction", ["forward", "both"])
def test_zeros_in_the_place_of_pads_leak_through_every_mixer_and_ours_are_exact(
    kind: str, scope: str, direction: str
) -> None:
    """Naive: pads multiplied or filled with zero and the whole sequence mixed as it lies."""
    torch.manual_seed(0)
    config = TypeAdapter(MixerPartConfig).validate_python({"type": kind, "scope": scope, "direction": direction})
    mixer = config.build(8, 2, 4).eval()
    mask = torch.tensor([[[True, False, True, True], [False, True, True, False]]])
    tokens = torch.randn(1, 2, 4, 8).masked_fill(~mask[..., None], torch.nan)
    everything = torch.ones_like(mask)
    with torch.no_grad():
        multiplied = mixer(tokens * mask[..., None], everything)
        filled = mixer(tokens.nan_to_num(nan=0.0), everything)
        ours = mixer(tokens, mask)
        alone = torch.zeros_like(ours)
        for rows in ([0, 1],) if scope == "clip" else ([0], [1]):
            valid = tokens[0, rows][mask[0, rows]]
            mixed = mixer(valid[None, None], torch.ones(1, 1, len(valid), dtype=torch.bool))
            alone[0, rows] = alone[0, rows].masked_scatter(mask[0, rows][..., None], mixed)
    assert torch.isnan(multiplied).any()
    assert (filled - alone)[mask].abs().max() > 1e-4
    torch.testing.assert_close(ours, alone, atol=2e-6, rtol=1e-5)


@pytest.mark.parametrize("kind", ["gru", "tcn", "mamba"])
def test_reversing_a_padded_sequence_whole_runs_its_pads_first(kind: str) -> None:
    """Only the valid prefix may be reversed: a state that starts in the pads reaches the frames, as soon as training
    has moved a bias. (S4D's does not: it is linear, so zeros leave it at zero; its pads leak in mid-sequence.)"""
    torch.manual_seed(0)
    layer = TypeAdapter(MixerPartConfig).validate_python({"type": kind}).build(8, 1, 6).forwards[0]
    for name, parameter in layer.named_parameters():
        if "bias" in name:
            nn.init.normal_(parameter, std=0.3)
    frames, valid = torch.randn(1, 6, 8), torch.tensor([[True] * 4 + [False] * 2])
    padded = zero_pads(frames, valid)
    with torch.no_grad():
        right = layer(frames[:, :4].flip(1), valid[:, :4]).flip(1)
        naive = layer(padded.flip(1), valid.flip(1)).flip(1)[:, :4]
        flip = reverse_prefix(valid)
        ours = take(layer(take(padded, flip), valid), flip)[:, :4]
    assert (naive - right).abs().max() > 1e-4
    torch.testing.assert_close(ours, right, atol=2e-6, rtol=1e-5)


def test_an_fft_without_room_wraps_the_future_into_the_past_and_ours_is_causal_to_rounding() -> None:
    torch.manual_seed(0)
    u, kernel = torch.randn(1, 3, 16), torch.randn(3, 16)
    later = u.clone()
    later[..., 12] += 10

    def circular(x: torch.Tensor) -> torch.Tensor:
        return torch.fft.irfft(torch.fft.rfft(x) * torch.fft.rfft(kernel), n=16)

    assert (circular(later) - circular(u))[..., :12].abs().max() > 1
    assert (causal_fft_conv(later, kernel) - causal_fft_conv(u, kernel))[..., :12].abs().max() < 1e-5


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
