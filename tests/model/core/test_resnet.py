"""ResNet and hybrid: parameters and maps of the reference, alignment, receptive field."""

import copy

import numpy as np
import pytest
import torch

from ablate.contract import FeatureMap
from ablate.model.core.hybrid_cnn_transformer import HybridCnnTransformerConfig
from ablate.model.core.resnet import ResidualStage, ResNetConfig

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
    assert abs(centre - (core.out.row_centers[6] + 1) * 25) <= 2  # pixels; middle of the extent, not of the weight


class Alone(torch.nn.Module):
    """A stage with one of its paths silenced and its norm taken away, so that even input has an even gradient."""

    def __init__(self, stage: ResidualStage, path: str):
        super().__init__()
        self.stage = copy.deepcopy(stage).eval()
        self.stage.norm = torch.nn.Identity()
        for name, weight in (("main", self.stage.conv.conv.weight), ("shortcut", self.stage.shortcut.weight)):
            torch.nn.init.constant_(weight, 0.1 if name == path else 0.0)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.stage(x)


def centroids(place: str, path: str) -> list[tuple[float, float]]:
    """Where each pooled stage's cell (6, 5) looks, in cells of its input: the mean place of its gradient."""
    core = ResNetConfig(channels=(2, 2, 2), squeeze_excite=(0, 0), shortcut_place=place).build(GRID)
    found = []
    for stage, size in ((core.stage_2, 26), (core.stage_3, 13)):
        x = torch.ones(1, 2, 7, size, size, requires_grad=True)
        Alone(stage, path)(x)[:, :, -1, 6, 5].sum().backward()
        weight = x.grad.sum((0, 1, 2))
        cells = torch.arange(float(size))
        found.append(
            (float((weight.sum(1) * cells).sum() / weight.sum()), float((weight.sum(0) * cells).sum() / weight.sum()))
        )
    return found


def test_both_paths_of_a_stage_look_at_the_same_place() -> None:
    """They were half a cell apart at each pool: up to 1.5 pixels of 51."""
    assert np.allclose(centroids("middle", "main"), [(12.5, 10.5), (6.5, 5.5)], atol=1e-3)
    assert np.allclose(centroids("middle", "shortcut"), [(12.5, 10.5), (6.5, 5.5)], atol=1e-3)
    assert np.allclose(centroids("corner", "shortcut"), [(12.0, 10.0), (6.0, 5.0)], atol=1e-3)


def test_a_cell_lies_where_the_whole_network_looks() -> None:
    core = ResNetConfig(channels=(2, 2, 2), squeeze_excite=(0, 0)).build(GRID).eval()
    for stage in (core.stage_1, core.stage_2, core.stage_3):
        stage.norm = torch.nn.Identity()
        for weight in (stage.conv.conv.weight, stage.shortcut.weight):
            torch.nn.init.constant_(weight, 0.1)
    x = torch.ones(1, 4, 9, 51, 51, requires_grad=True)
    core(x)[:, :, -1, 6, 6].sum().backward()
    weight = x.grad.sum((0, 1, 2, 4))
    centre = float((weight * torch.arange(51.0)).sum() / weight.sum())
    assert centre == pytest.approx((core.out.row_centers[6] + 1) * 25, abs=0.05)


def test_the_map_is_centred_on_the_stimulus() -> None:
    with torch.device("meta"):
        out = ResNetConfig().build(GRID).out
    assert sum(out.row_centers) / 13 == pytest.approx(
        0, abs=0.09
    )  # two pixels: the last pool's even window at a stride of 1


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
