"""A ViT on single frames with a mixer at each place."""

import pytest
import torch
from pydantic import ValidationError

from ablate.contract import FeatureMap
from ablate.model.core.frame_vit import FrameViTConfig
from ablate.model.mixer.none import NoneMixerConfig
from ablate.model.mixer.s4d import S4dConfig

GRID = FeatureMap.of_grid(2, 12, 14)


def build(**options: object) -> torch.nn.Module:
    torch.manual_seed(0)
    small = {"embedding_dim": 8, "num_spatial_blocks": 1, "num_heads": 2, "head_dim": 4, "ff_dim": 8}
    return FrameViTConfig.model_validate({**small, **options}).build(GRID).eval()


def test_without_a_mixer_a_step_knows_its_own_frame_alone() -> None:
    core = build(mixer=NoneMixerConfig())
    video = torch.randn(2, 2, 6, 12, 14)
    torch.testing.assert_close(core(video)[:, :, 3:4], core(video[:, :, 3:4]), atol=1e-6, rtol=1e-5)


def test_a_mixer_carries_the_past_of_a_place_to_it_and_no_other_place() -> None:
    core = build(num_spatial_blocks=0)
    video = torch.randn(1, 2, 6, 12, 14)
    changed = video.clone()
    changed[:, :, 2, :4, 1:5] += 1  # the first patch: the grid of 14 columns is centred, 1 column is left out
    differs = (core(changed) - core(video)).abs().amax(dim=1)[0] > 0  # t h w
    assert differs[2:, 0, 0].all()
    assert not differs[:2].any()
    assert int(differs.any(dim=0).sum()) == 1


def test_the_state_space_mixer_is_causal_to_rounding() -> None:
    core = build(mixer=S4dConfig())
    video = torch.randn(1, 2, 9, 12, 14)
    changed = video.clone()
    changed[:, :, 6:] += 1
    change = (core(changed) - core(video)).abs().amax(dim=(0, 1, 3, 4))
    assert change[:6].max() < 1e-6
    assert change[6:].min() > 1e-4


def test_every_so_manieth_step_is_the_same_step() -> None:
    video = torch.randn(1, 2, 9, 12, 14)
    every, fourth = build(), build(time_step=4)
    assert fourth.out.time_step == 4
    torch.testing.assert_close(fourth(video), every(video)[:, :, 0::4])


def test_looking_ahead_is_refused() -> None:
    with pytest.raises(ValidationError, match="a rate may not know later frames"):
        build(mixer={"type": "gru", "direction": "both"})
