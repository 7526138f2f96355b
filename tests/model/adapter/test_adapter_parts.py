"""The affine adapter against scipy and grid_sample, and what every adapter promises."""

import math

import numpy as np
import pytest
import torch
from pydantic import TypeAdapter, ValidationError
from scipy.ndimage import gaussian_filter1d
from torch.nn import functional

from ablate.model.adapter import AdapterConfig, AffineConfig, NoAdapterConfig
from ablate.model.adapter.affine import bilinear_matrix, blur_matrix


def reference(video, grid, sigma, scale_h, scale_w, padding):
    """Convolution with an odd, centred kernel, normalised by the pixels that exist, then grid_sample."""
    h, w = video.shape[-2:]
    half = max(h, w)
    taps = torch.exp(-(torch.arange(-half, half + 1).double() ** 2) / (2 * sigma**2))

    def blur(frames):
        frames = functional.conv2d(frames, taps[None, None, :, None], padding=(half, 0))
        return functional.conv2d(frames, taps[None, None, None, :], padding=(0, half))

    frames = video.double().reshape(-1, 1, h, w)
    blurred = blur(frames) / blur(torch.ones_like(frames))
    rows = scale_h * torch.linspace(-1, 1, grid[0]).double()
    cols = scale_w * torch.linspace(-1, 1, grid[1]).double()
    places = torch.stack(torch.meshgrid(rows, cols, indexing="ij")[::-1], dim=-1).expand(len(frames), -1, -1, -1)
    sampled = functional.grid_sample(blurred, places, padding_mode=padding, align_corners=True)
    return sampled.reshape(*video.shape[:3], *grid).float()


@pytest.mark.parametrize("outside", ["zeros", "border"])
@pytest.mark.parametrize(("size", "grid"), [((9, 14), (7, 5)), ((5, 5), (11, 12)), ((36, 64), (51, 51))])
def test_affine_is_a_blur_followed_by_grid_sample(size, grid, outside):
    adapter = AffineConfig(grid=grid, sigma=0.8, outside=outside).build(*size)
    with torch.no_grad():
        adapter.log_scale_h.fill_(math.log(1.13))
        adapter.log_scale_w.fill_(math.log(0.71))
    video = torch.randn(2, 1, 3, *size)
    expected = reference(video, grid, 0.8, 1.13, 0.71, outside)
    torch.testing.assert_close(adapter(video), expected, atol=1e-5, rtol=1e-4)


def test_the_blur_is_scipys_gaussian_away_from_the_edges():
    signal = np.random.default_rng(0).normal(size=60)
    blurred = blur_matrix(torch.tensor(1.7, dtype=torch.float64), 60).numpy() @ signal
    np.testing.assert_allclose(blurred[15:-15], gaussian_filter1d(signal, 1.7, truncate=8)[15:-15], rtol=1e-9)


@pytest.mark.parametrize("sigma", [0.05, 0.5, 3.0])
def test_no_weight_is_so_small_that_float32_slows_down(sigma):
    adapter = AffineConfig(sigma=sigma, scale=0.9).build(51, 51)
    matrix = adapter._axis(adapter.log_scale_h, 51, 51)
    sizes = matrix[matrix != 0].abs()
    assert sizes.min() > 1e6 * torch.finfo(torch.float32).tiny


def test_a_constant_picture_stays_constant_up_to_its_edges():
    video = torch.full((1, 1, 2, 8, 8), 3.0)
    torch.testing.assert_close(AffineConfig(grid=8, sigma=2.0).build(8, 8)(video), video)


def test_scale_one_without_blur_is_the_identity():
    video = torch.randn(2, 1, 3, 13, 9)
    adapter = AffineConfig(grid=(13, 9), sigma=1e-3).build(13, 9)
    torch.testing.assert_close(adapter(video), video, atol=1e-5, rtol=1e-5)


def test_gradients_agree_with_finite_differences():
    def output(log_sigma, log_scale):
        source = (log_scale.exp() * torch.linspace(-1, 1, 6, dtype=torch.float64) + 1) / 2 * 8
        return bilinear_matrix(source, 9) @ blur_matrix(log_sigma.exp(), 9)

    given = [torch.tensor(x, dtype=torch.float64, requires_grad=True) for x in (0.1, -0.23)]
    assert torch.autograd.gradcheck(output, given)


def test_every_parameter_gets_a_gradient_also_at_the_start():
    adapter = AffineConfig(grid=10).build(12, 12)
    (adapter(torch.randn(2, 1, 2, 12, 12)) * torch.randn(2, 1, 2, 10, 10)).sum().backward()
    assert sum(p.numel() for p in adapter.parameters()) == 3
    assert all(p.grad is not None and p.grad.abs() > 0 for p in adapter.parameters())


def test_learn_blur_false_is_the_labs_fault_sigma_stays():
    adapter = AffineConfig(learn_blur=False).build(5, 5)
    assert [name for name, p in adapter.named_parameters() if not p.requires_grad] == ["log_sigma"]


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (7, 1), (2, 3)])
def test_any_size_down_to_one_pixel_is_taken(size):
    video = torch.randn(2, 1, 4, *size)
    grid = AffineConfig(grid=(6, 5)).build(*size)(video)
    assert grid.shape == (2, 1, 4, 6, 5)
    if size == (1, 1):
        torch.testing.assert_close(grid, video.expand(-1, -1, -1, 6, 5))


def test_one_number_is_a_square_grid_and_the_map_says_so():
    assert AffineConfig(grid=5).build(3, 4).out == AffineConfig(grid=(5, 5)).build(9, 9).out
    assert AffineConfig(grid=5).build(3, 4).out.row_centers == (-1.0, -0.5, 0.0, 0.5, 1.0)


def test_a_grid_of_one_reads_the_middle():
    video = torch.arange(9.0).reshape(1, 1, 1, 3, 3)
    assert AffineConfig(grid=1, sigma=1e-3).build(3, 3)(video).item() == pytest.approx(4.0)


def test_none_gives_the_video_itself():
    video = torch.randn(1, 1, 3, 4, 6)
    adapter = NoAdapterConfig().build(4, 6)
    assert adapter(video) is video
    assert (adapter.out.height, adapter.out.width, adapter.out.channels) == (4, 6, 1)


def test_adapters_work_on_the_meta_device():
    with torch.device("meta"):
        adapter = AffineConfig().build(36, 64)
        assert adapter(torch.randn(1, 1, 5, 36, 64)).shape == (1, 1, 5, 51, 51)


def test_the_union_reads_each_type():
    read = TypeAdapter(AdapterConfig).validate_python
    assert isinstance(read({"type": "affine"}), AffineConfig)
    assert isinstance(read({"type": "none"}), NoAdapterConfig)
    assert read({"type": "import", "target": "a.b:C"}).target == "a.b:C"
    with pytest.raises(ValidationError):
        read({"type": "affine", "grid": 0})
