"""Pads never reach a valid frame, for every mixer, scope and direction, with NaN in every pad."""

import pytest
import torch
from pydantic import TypeAdapter

from ablate.errors import AblateError
from ablate.model.mixer import MixerPartConfig

MIXERS = ["none", "gru", "tcn", "s4d", "mamba", "transformer"]
WAYS = [(scope, direction) for scope in ("interval", "clip") for direction in ("forward", "both")]
WIDTH, INTERVALS, FRAMES = 8, 3, 6


def build(kind: str, scope: str = "interval", direction: str = "forward", **more: object) -> torch.nn.Module:
    torch.manual_seed(0)
    options = {} if kind == "none" else {"scope": scope, "direction": direction, "depth": 2}
    config = TypeAdapter(MixerPartConfig).validate_python({"type": kind, **options, **more})
    return config.build(WIDTH, INTERVALS, FRAMES).eval()


def scattered() -> tuple[torch.Tensor, torch.Tensor]:
    """Tokens with NaN in pads that fall anywhere, and one interval with no frame at all."""
    generator = torch.Generator().manual_seed(1)
    mask = torch.rand(4, INTERVALS, FRAMES, generator=generator) < 0.6
    mask[0, 1] = False
    mask[1, 2] = True
    mask[3] = False
    tokens = torch.randn(4, INTERVALS, FRAMES, WIDTH, generator=generator)
    return tokens.masked_fill(~mask[..., None], torch.nan), mask


@pytest.mark.parametrize("kind", MIXERS)
@pytest.mark.parametrize(("scope", "direction"), WAYS)
def test_padding_is_exact_each_sequence_equals_itself_without_pads(kind: str, scope: str, direction: str) -> None:
    mixer = build(kind, scope, direction)
    tokens, mask = scattered()
    with torch.no_grad():
        mixed = mixer(tokens, mask)
    assert (mixed[~mask] == 0).all()
    for row in range(4):
        parts = [(row, slice(None))] if scope == "clip" else [(row, i) for i in range(INTERVALS)]
        for part in parts:
            valid = tokens[part][mask[part]]  # (l, d) with no pad in it
            if len(valid) == 0:
                continue
            with torch.no_grad():
                alone = mixer(valid[None, None], torch.ones(1, 1, len(valid), dtype=torch.bool))
            torch.testing.assert_close(mixed[part][mask[part]], alone[0, 0], atol=2e-6, rtol=1e-5)


@pytest.mark.parametrize("kind", MIXERS)
@pytest.mark.parametrize(("scope", "direction"), WAYS)
def test_gradients_are_finite_and_zero_in_the_pads(kind: str, scope: str, direction: str) -> None:
    mixer = build(kind, scope, direction)
    tokens, mask = scattered()
    tokens.requires_grad_()
    mixer(tokens, mask).square().sum().backward()
    assert tokens.grad is not None
    assert (tokens.grad[~mask] == 0).all()
    assert torch.isfinite(tokens.grad).all()
    for name, parameter in mixer.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name


@pytest.mark.parametrize("kind", ["gru", "tcn", "s4d", "mamba"])
def test_the_naive_form_leaks_pads_where_ours_does_not(kind: str) -> None:
    """Running the layer over the padded sequence as it lies, zeros and all, changes what a valid frame becomes."""
    mixer = build(kind, "interval", "both")
    valid = torch.tensor([True, False, False, True, True, False])
    zeros = torch.randn(1, FRAMES, WIDTH).masked_fill(~valid[None, :, None], 0.0)
    full = torch.ones(1, FRAMES, dtype=torch.bool)
    with torch.no_grad():
        naive = mixer.backwards[0](zeros.flip(1), full).flip(1)[0, valid]
        compacted = zeros[:, valid]
        right = mixer.backwards[0](compacted.flip(1), full[:, valid]).flip(1)[0]
    assert (naive - right).abs().max() > 1e-4


@pytest.mark.parametrize("kind", MIXERS)
@pytest.mark.parametrize("scope", ["interval", "clip"])
def test_forward_never_looks_ahead_and_both_does(kind: str, scope: str) -> None:
    if kind == "none":
        pytest.skip("no frame knows another")
    mask = torch.ones(1, INTERVALS, FRAMES, dtype=torch.bool)
    tokens = torch.randn(1, INTERVALS, FRAMES, WIDTH, generator=torch.Generator().manual_seed(2))
    later = tokens.clone()
    later[0, 1, 4] += 10
    with torch.no_grad():
        change = {}
        for direction in ("forward", "both"):
            mixer = build(kind, scope, direction)
            change[direction] = (mixer(later, mask) - mixer(tokens, mask)).abs()[0, 1, :4].max()
    assert change["forward"] < 1e-6  # the FFT of S4D is causal only to rounding
    assert change["both"] > 1e-5


@pytest.mark.parametrize("kind", MIXERS)
def test_scope_interval_keeps_intervals_apart(kind: str) -> None:
    mask = torch.ones(1, INTERVALS, FRAMES, dtype=torch.bool)
    tokens = torch.randn(1, INTERVALS, FRAMES, WIDTH, generator=torch.Generator().manual_seed(2))
    other = tokens.clone()
    other[0, 0] += 10
    with torch.no_grad():
        mixer = build(kind, "interval", "both")
        change = (mixer(other, mask) - mixer(tokens, mask)).abs()
    assert change[0, 1:].max() == 0
    assert change[0, 0].max() > 0


@pytest.mark.parametrize("kind", MIXERS[1:])
def test_match_params_comes_within_ten_percent(kind: str) -> None:
    options = {} if kind == "transformer" else {"direction": "both"}
    config = TypeAdapter(MixerPartConfig).validate_python({"type": kind, "match_params": 40_000, **options})
    count = sum(p.numel() for p in config.build(32, INTERVALS, FRAMES).parameters())
    assert abs(count - 40_000) <= 4_000


def test_match_params_out_of_reach_is_told() -> None:
    with pytest.raises(AblateError, match="no inner width of this mixer comes within 10 % of 10 parameters"):
        build("gru", match_params=10)


@pytest.mark.parametrize("kind", MIXERS[1:])
def test_the_same_seed_gives_the_same_weights(kind: str) -> None:
    first, second = build(kind).state_dict(), build(kind).state_dict()
    assert all(torch.equal(first[name], second[name]) for name in first)
