"""What the check of a user's own model for leaks can tell: our causal models pass, and the lab's alignment does not."""

import pytest
import torch

from ablate.contract import EncodingSpec, SessionSpec
from ablate.model import EncoderConfig, GlmConfig
from ablate.model.causality import leaking_lag

SPEC = EncodingSpec((SessionSpec("s", 12, 12, 3, 2, 60.0, (0.1, 0.2, 0.3)),), window=48, score_every=8, warmup=24)
RESNET = {"type": "resnet", "channels": (4, 4, 8), "squeeze_excite": (2, 2)}


@pytest.mark.parametrize(
    "core", [RESNET, {"type": "vivit", "tokenizer": {"kernel_size": (4, 4, 4), "stride": (4, 4, 4)}}]
)
def test_our_own_encoders_do_not_leak(core: dict[str, object]) -> None:
    torch.manual_seed(0)
    config = EncoderConfig.model_validate({"adapter": {"type": "none"}, "core": core})
    assert leaking_lag(config.build(SPEC), SPEC) is None


def test_a_shortcut_that_adds_newer_frames_is_found_and_the_model_stays_as_it_was() -> None:
    core = {**RESNET, "shortcut_alignment": "visioncore"}
    model = EncoderConfig.model_validate({"adapter": {"type": "none"}, "core": core}).build(SPEC)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    assert leaking_lag(model, SPEC) == 16
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())


def test_a_glm_whose_weights_start_at_zero_is_tried_with_others() -> None:
    model = GlmConfig(lags=8, grid=6).build(SPEC)
    assert leaking_lag(model, SPEC) is None
    for session in model.filters:
        session.register_forward_pre_hook(
            lambda _, given: (
                given[0].__class__(given[0].session, given[0].stimulus.roll(-1, 2), given[0].behavior, given[0].target),
                given[1],
            )
        )
    assert leaking_lag(model, SPEC) == 16
