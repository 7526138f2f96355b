"""ViViT on the whole clip: tokens grouped by interval, pads masked, same compressor and fusion behind."""

import pytest
import torch
from pydantic import TypeAdapter

from ablate.contract import FusionBatch, FusionSpec, Target
from ablate.errors import AblateError
from ablate.model.fusion.isolation import isolation, tell
from ablate.model.fusion.model import FusionConfig
from ablate.model.video import VideoConfig
from ablate.model.video.vivit.tubelet import TubeletTokens

KINDS = ["vivit_factorised", "vivit_joint"]
SPEC = FusionSpec(("a",), 3, 4, (3, 8, 8), 4, 48, 2, (0.5, 0.5), "interval")


def build(kind: str, **options: object) -> torch.nn.Module:
    torch.manual_seed(0)
    config = TypeAdapter(VideoConfig).validate_python({"type": kind, "width": 8, "heads": 2, **options})
    return config.build((3, 8, 8), 3, 4)


def clip() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    mask = torch.arange(4) < torch.tensor([[4, 3, 2], [1, 0, 4]])[..., None]
    frames = torch.randint(0, 256, (2, 3, 4, 3, 8, 8), generator=generator).float()
    return frames.masked_fill(~mask[..., None, None, None], torch.nan), mask


@pytest.mark.parametrize("kind", KINDS)
def test_one_token_a_time_step_and_zero_where_no_frame_is_valid(kind: str) -> None:
    encoder = build(kind)
    frames, mask = clip()
    out, valid = encoder(frames, mask, None), encoder.token_mask(mask)
    assert out.shape == (2, 3, 2, 8)
    assert valid[0].tolist() == [[True, True], [True, True], [True, False]]
    assert valid[1].tolist() == [[True, False], [False, False], [True, True]]
    assert torch.isfinite(out).all()
    assert (out[~valid] == 0).all()
    assert (out[valid].abs().sum(-1) > 0).all()


@pytest.mark.parametrize("kind", KINDS)
def test_nan_and_junk_in_pads_are_the_same_to_it_and_gradients_are_finite(kind: str) -> None:
    encoder = build(kind)
    frames, mask = clip()
    out = encoder(frames, mask, None)
    assert torch.equal(out, encoder(frames.nan_to_num(nan=77.0), mask, None))
    out.square().sum().backward()
    for name, parameter in encoder.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name


def test_tubelets_never_straddle_two_intervals() -> None:
    tokens = TubeletTokens((3, 8, 8), 4, 2, 4, 8)
    frames, mask = clip()
    frames = frames.nan_to_num()
    other = frames.clone()
    other[:, 1] += 50
    change = (tokens(other, torch.ones_like(mask)) - tokens(frames, torch.ones_like(mask))).abs().amax(dim=(0, 2, 3, 4))
    assert change[1] > 0
    assert change[[0, 2]].max() == 0


@pytest.mark.parametrize("kind", KINDS)
def test_the_order_of_frames_within_a_tubelet_and_across_counts(kind: str) -> None:
    encoder = build(kind)
    frames, mask = clip()
    frames, mask = frames.nan_to_num(), torch.ones_like(mask)
    swapped = frames[:, :, [1, 0, 2, 3]]
    assert (encoder(swapped, mask, None) - encoder(frames, mask, None)).abs().max() > 1e-4


@pytest.mark.parametrize("kind", KINDS)
def test_the_order_of_tubelets_is_seen_before_any_training(kind: str) -> None:
    """With positions of 0.02, one per cent of what other clips change: joint attention stayed at chance for 400
    steps."""
    torch.manual_seed(0)
    encoder = build(kind, width=32)
    frames, others = torch.randint(0, 256, (2, 16, 3, 4, 3, 8, 8)).float()
    mask = torch.ones(16, 3, 4, dtype=torch.bool)
    with torch.no_grad():  # summed over an interval's tokens, as a compressor without positions would
        given, swapped, other = (encoder(x, mask, None).sum(2) for x in (frames, frames[:, :, [2, 3, 0, 1]], others))
    assert (swapped - given).norm() > 0.1 * (other - given).norm()


@pytest.mark.parametrize("kind", KINDS)
def test_it_stands_in_a_fusion_model_and_its_isolation_matrix_is_full(kind: str) -> None:
    torch.manual_seed(0)
    video = {"type": kind, "width": 8, "heads": 2}
    model = FusionConfig.model_validate({"embedding_dim": 8, "video": video, "mixer": {"type": "none"}}).build(SPEC)
    frames, mask = clip()
    labels = torch.zeros(2, 3, dtype=torch.long)
    batch = FusionBatch(torch.randn(2, 4, 48), frames, mask, (Target(0, labels, labels == 0),))
    assert model(batch)[0].shape == (2, 3, 2)
    matrix = isolation(model.media, SPEC)
    assert matrix is not None
    assert tell(matrix) == "### ### ###"
    assert model.cost_notes()["isolation (latents x frames)"].startswith("### ### ###, other intervals at most ")


def test_tubelets_that_do_not_tile_are_told() -> None:
    with pytest.raises(AblateError, match="tubelets of 3 frames x 4 pixels do not tile 4 frames of 8 x 8"):
        build("vivit_joint", tubelet_frames=3)
