"""EEG encoders: no token spans two intervals, and no trial knows another."""

import pytest
import torch
from pydantic import TypeAdapter
from torch.nn import functional

from ablate.errors import AblateError
from ablate.model.eeg import EegConfig
from ablate.model.eeg.segments import cut, interval_of_token, join
from ablate.model.eeg.stem import SpatioTemporal

KINDS = ["none", "eegnet", "conformer"]


def build(kind: str, **options: object) -> torch.nn.Module:
    torch.manual_seed(0)
    return TypeAdapter(EegConfig).validate_python({"type": kind, **options}).build(6, 4 * 32, 4, 16)


@pytest.mark.parametrize("kind", KINDS)
def test_gives_equally_many_tokens_an_interval_and_every_parameter_a_gradient(kind: str) -> None:
    encoder = build(kind)
    tokens = encoder(torch.randn(3, 6, 128))
    assert tokens.shape[0] == 3
    assert tokens.shape[1] % 4 == 0
    assert tokens.shape[2] == 16
    (tokens * torch.randn(tokens.shape)).sum().backward()
    for name, parameter in encoder.named_parameters():
        assert parameter.grad is not None, name


@pytest.mark.parametrize("kind", ["eegnet", "conformer"])
def test_no_token_spans_two_intervals(kind: str) -> None:
    encoder = build(kind).eval()
    eeg = torch.randn(2, 6, 128)
    other = eeg.clone()
    other[:, :, 32:64] += 3  # the second interval
    change = (encoder(other) - encoder(eeg)).abs().amax(dim=(0, 2))
    interval = interval_of_token(len(change), 4)
    assert change[interval == 1].max() > 0
    assert change[interval != 1].max() == 0


@pytest.mark.parametrize("kind", ["eegnet", "conformer"])
def test_a_trial_does_not_depend_on_the_trials_beside_it(kind: str) -> None:
    encoder = build(kind).train()
    eeg = torch.randn(4, 6, 128)
    torch.testing.assert_close(encoder(eeg)[:1], encoder(eeg[:1]))


@pytest.mark.parametrize("grouped", [True, False])
def test_the_stem_is_a_temporal_then_a_spatial_convolution(grouped: bool) -> None:
    torch.manual_seed(0)
    stem = SpatioTemporal(6, 4, 8 if grouped else 4, 5, grouped=grouped)
    eeg = torch.randn(2, 6, 20)
    filtered = functional.conv2d(eeg[:, None], stem.temporal[:, None, None], padding=(0, 2))
    expected = functional.conv2d(filtered, stem.spatial[..., None], groups=4 if grouped else 1)[:, :, 0]
    torch.testing.assert_close(stem(eeg), expected, atol=1e-5, rtol=1e-4)


def test_eegnet_gives_as_many_tokens_as_asked() -> None:
    assert build("eegnet", tokens=3)(torch.randn(1, 6, 128)).shape == (1, 12, 16)


def test_cutting_and_joining_are_inverse() -> None:
    eeg = torch.randn(3, 6, 128)
    segments = cut(eeg, 4)
    torch.testing.assert_close(segments[5], eeg[1, :, 32:64])
    tokens = torch.randn(12, 2, 5)
    torch.testing.assert_close(join(tokens, 4)[1, 2:4], tokens[5])


def test_one_sample_too_many_is_told_with_its_usual_cause() -> None:
    config = TypeAdapter(EegConfig).validate_python({"type": "eegnet"})
    with pytest.raises(AblateError) as told:
        config.build(6, 501, 5, 16)
    assert told.value.problems[0].what == "501 EEG samples do not divide into 5 intervals"
    assert "give 501" in told.value.problems[0].hint


def test_tokens_that_do_not_divide_are_told() -> None:
    with pytest.raises(AblateError, match="gave 7 tokens for 4 intervals"):
        interval_of_token(7, 4)
