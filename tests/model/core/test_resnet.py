"""ResNet and hybrid: parameters and maps of the reference, alignment, receptive field."""

import pytest
import torch

from ablate.contract import FeatureMap
from ablate.model.core.hybrid_cnn_transformer import HybridCnnTransformerConfig
from ablate.model.core.resnet import ResNetConfig

GRID = FeatureMap.of_grid(4, 51, 51)


def meta_video(frames: int) -> torch.Tensor:
    return torch.empty(1, 4, frames, 51, 51, device="meta")


def test_the_stages_have_the_parameters_of_the_reference_to_the_last_digit() -> None:
    with torch.device("meta"):
        core = ResNetConfig().build(GRID)
    counts = [sum(p.numel() for p in part.parameters()) for part in core.parts().values()]
    assert counts == [39_168, 1_249_680, 926_480]


@pytest.mark.parametrize(("frames", "steps"), [(10, 5), (25, 13), (24, 12), (1, 1), (2, 1), (3, 2)])
def test_a_grid_of_51_pixels_gives_aligned_maps_of_26_13_13(frames: int, steps: int) -> None:
    with torch.device("meta"):
        core = ResNetConfig().build(GRID)
    first = core.stage_1(meta_video(frames))
    second = core.stage_2(first)
    third = core.stage_3(second)
    assert [tuple(stage.shape[2:]) for stage in (first, second, third)] == [
        (steps, 26, 26),
        (steps, 13, 13),
        (steps, 13, 13),
    ]
    assert (core.out.height, core.out.width, core.out.time_step) == (13, 13, 2)


@pytest.mark.parametrize("dilation", [1, 2, 3])
def test_dilation_keeps_the_map(dilation: int) -> None:
    core = ResNetConfig(channels=(4, 4, 8), squeeze_excite=(2, 2), dilation=(dilation,) * 3).build(GRID)
    assert core(torch.randn(1, 4, 6, 51, 51)).shape == (1, 8, 3, 13, 13)


def test_shortcut_and_main_path_of_a_step_end_at_the_same_frame() -> None:
    core = ResNetConfig(channels=(4, 4, 8), squeeze_excite=(0, 0)).build(GRID).eval()
    for frames in (8, 9):
        for path in (core.stage_1.conv, lambda x: core.stage_1.shortcut(core.stage_1._kept(x, 0))):
            x = torch.randn(1, 4, frames, 51, 51, requires_grad=True)
            path(x)[:, :, -2].sum().backward()
            seen = x.grad.abs().sum((0, 1, 3, 4)).nonzero().flatten()
            assert int(seen.max()) == frames - 1 - core.out.time_step


def test_the_receptive_field_is_what_the_gradient_says() -> None:
    core = ResNetConfig(channels=(2, 2, 2), squeeze_excite=(0, 0), dropout=(0, 0, 0)).build(GRID).eval()
    x = torch.randn(1, 4, 40, 51, 51, requires_grad=True)
    core(x)[:, :, -1, 6, 6].sum().backward()
    seen = x.grad.abs().sum((0, 1))
    frames = seen.sum((1, 2)).nonzero().flatten()
    rows = seen.sum((0, 2)).nonzero().flatten()
    field = core.receptive_field
    assert 40 - int(frames.min()) == field["frames"]
    assert int(rows.max() - rows.min()) + 1 == field["pixels"]
    centre = float(rows.float().mean())
    assert abs(centre - (core.out.row_centers[6] + 1) * 25) <= 2  # pixels; the two paths lie half a cell apart


def test_the_map_is_centred_on_the_stimulus() -> None:
    with torch.device("meta"):
        out = ResNetConfig().build(GRID).out
    assert sum(out.row_centers) / 13 == pytest.approx(0, abs=0.04)  # a pixel


def test_the_hybrid_mixes_frames_in_the_stem_and_in_attention_alone() -> None:
    core = HybridCnnTransformerConfig(channels=(4, 4, 8), squeeze_excite=(2, 2), embedding_dim=8).build(GRID).eval()
    x = torch.randn(1, 4, 9, 51, 51)
    changed = x.clone()
    changed[:, :, :4] += 1  # older than what the last two steps' stem sees
    with torch.no_grad():
        before, after = (core.stage_3(core.stage_2(core.stage_1(v))) for v in (x, changed))
        assert torch.equal(before[:, :, -2:], after[:, :, -2:])
        assert not torch.allclose(core(x)[:, :, -1], core(changed)[:, :, -1])


def test_the_hybrid_reads_the_words_of_the_notes() -> None:
    words = {"type": "hybrid_cnn_transformer", "spatial_backbone": "resnet", "temporal_transformer": "vivit"}
    with torch.device("meta"):
        core = HybridCnnTransformerConfig.model_validate(words).build(GRID)
    assert core.out.time_step == 2
    assert core(meta_video(25)).shape == (1, 192, 13, 13, 13)


@pytest.mark.parametrize(
    "options",
    [
        {"channels": (0, 4, 4)},
        {"dropout": (0.0, 1.0, 0.0)},
        {"squeeze_excite": (-1, 2)},
        {"kernel_sizes": ((3, 5, 5), (0, 5, 5), (3, 3, 3))},
    ],
)
def test_senseless_sizes_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="at least"):
        ResNetConfig.model_validate(options)


def test_the_labs_alignment_is_linted() -> None:
    assert "later frames" in ResNetConfig(shortcut_alignment="visioncore").build(GRID).lints()[0]
    told = ResNetConfig(shortcut_alignment="visioncore", stem_stride=(1, 2, 2)).build(GRID).lints()[0]
    assert "nothing reads it" in told
