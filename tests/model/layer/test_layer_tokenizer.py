"""The tokenizer against nn.Conv3d, its grid, and what it never sees."""

import pytest
import torch
from einops import rearrange
from torch import nn

from ablate.contract import FeatureMap
from ablate.errors import AblateError
from ablate.model.layer.tokenizer import Tokenizer, TokenizerConfig

GRID = FeatureMap.of_grid(4, 51, 51)


def tokenizer(kernel: tuple[int, int, int], stride: tuple[int, int, int] | None = None, width: int = 16) -> Tokenizer:
    return TokenizerConfig(kernel_size=kernel, stride=stride or kernel).build(GRID, width)


@pytest.mark.parametrize("stride", [(2, 4, 4), (1, 2, 2), (2, 3, 4), (4, 8, 8)])
def test_tokens_are_those_of_a_plain_convolution(stride: tuple[int, int, int]) -> None:
    torch.manual_seed(0)
    module = tokenizer((2, 4, 4), stride)
    video = torch.randn(2, 4, 7, 51, 51)
    oldest = module.frames_cropped(7)
    top, bottom, left, right = module.crop
    conv = nn.Conv3d(4, 4 * 32, (2, 4, 4), stride)
    conv.load_state_dict(module.conv.state_dict())
    patches = rearrange(conv(video[:, :, oldest:, top:bottom, left:right]), "b p t h w -> b t (h w) p")
    expected = module.norm(module.project(module.patch_norm(patches)))
    torch.testing.assert_close(module(video), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("size", "side"), [(8, 6), (4, 12)])
def test_a_grid_of_51_pixels_gives_6_or_12_tokens_a_side(size: int, side: int) -> None:
    module = tokenizer((8, size, size))
    assert (module.out.height, module.out.width, module.out.time_step) == (side, side, 8)
    assert module(torch.randn(1, 4, 25, 51, 51)).shape == (1, 3, side * side, 16)
    assert module.pixels_never_seen == pytest.approx(1 - (48 / 51) ** 2)


def test_the_last_token_ends_at_the_newest_frame_and_old_frames_are_cropped() -> None:
    module = tokenizer((8, 8, 8))
    video = torch.randn(1, 4, 21, 51, 51, requires_grad=True)
    module(video)[:, -1].sum().backward()
    seen = video.grad.abs().sum((0, 1, 3, 4)) > 0
    assert seen.nonzero().flatten().tolist() == list(range(13, 21))
    assert module.frames_cropped(21) == 5


def test_the_crop_is_centred_and_the_centres_say_so() -> None:
    module = tokenizer((8, 8, 8))
    assert module.crop == (1, 49, 1, 49)
    pixels = [-1 + 2 * (1 + 8 * i + 3.5) / 50 for i in range(6)]
    assert module.out.row_centers == pytest.approx(pixels)


def test_a_token_sees_the_pixels_that_its_centre_and_extent_name() -> None:
    module = tokenizer((1, 6, 6), (1, 5, 7))
    video = torch.randn(1, 4, 1, 51, 51, requires_grad=True)
    tokens = rearrange(module(video), "b t (h w) d -> b t h w d", h=module.out.height)
    tokens[0, 0, 2, 3].sum().backward()
    seen = video.grad.abs().sum((0, 1, 2)) > 0
    rows = seen.any(1).nonzero().flatten().float()
    cols = seen.any(0).nonzero().flatten().float()
    assert float(rows.mean()) / 25 - 1 == pytest.approx(module.out.row_centers[2])
    assert float(cols.mean()) / 25 - 1 == pytest.approx(module.out.col_centers[3])


def test_gaps_between_tokens_count_as_never_seen() -> None:
    assert tokenizer((1, 1, 1), (1, 2, 2)).pixels_never_seen == pytest.approx(1 - (26 / 51) ** 2)
    assert tokenizer((2, 3, 3), (1, 1, 1)).pixels_never_seen == 0


def test_too_few_frames_or_pixels_are_told_with_the_next_move() -> None:
    with pytest.raises(AblateError, match=r"a token spans 8 frames, but only 5 reach the core(.|\n)*hint: lengthen"):
        tokenizer((8, 8, 8))(torch.randn(1, 4, 5, 51, 51))
    with pytest.raises(AblateError, match=r"a token spans 64 rows, but the map has only 51"):
        tokenizer((8, 64, 8))


def test_a_size_of_zero_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        TokenizerConfig(kernel_size=(0, 8, 8))
