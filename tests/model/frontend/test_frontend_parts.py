"""Frontends against a plain 3-D convolution and scipy's windows; causality of each."""

from typing import get_args

import pytest
import torch
from pydantic import TypeAdapter
from scipy.signal import freqz
from scipy.signal.windows import hann
from torch.nn import functional

from ablate.contract import FeatureMap
from ablate.errors import AblateError
from ablate.model.frontend import BlurConfig, FrontendConfig, LearnableTemporalConfig, NoFrontendConfig
from ablate.model.frontend.learnable_temporal import Padding, Window, window
from ablate.model.frontend.temporal import filter_time, initial_kernels

GRID = FeatureMap.of_grid(1, 3, 4)
CONFIGS = [
    NoFrontendConfig(),
    BlurConfig(),
    BlurConfig(padding="valid"),
    LearnableTemporalConfig(),
    LearnableTemporalConfig(padding="valid", channels=6),
    *(LearnableTemporalConfig(anti_aliasing=True, window=name) for name in get_args(Window)),
]
every_frontend = pytest.mark.parametrize("config", CONFIGS, ids=repr)


@pytest.mark.parametrize("frames", [1, 5, 25, 32, 33, 70, 150])
@pytest.mark.parametrize("inputs", [1, 3])
def test_blocks_of_time_give_a_plain_causal_convolution(frames, inputs):
    video = torch.randn(2, inputs, frames, 3, 4, requires_grad=True)
    kernels = torch.randn(4, inputs, 16, requires_grad=True)
    padded = functional.pad(video, (0, 0, 0, 0, 15, 0))
    expected = functional.conv3d(padded, kernels[..., None, None])
    out = filter_time(video, kernels, frames)
    torch.testing.assert_close(out, expected, atol=1e-4, rtol=1e-4)
    weights = torch.randn_like(out)
    for ours, theirs in zip(
        torch.autograd.grad(out, (video, kernels), weights),
        torch.autograd.grad(expected, (video, kernels), weights),
        strict=True,
    ):
        torch.testing.assert_close(ours, theirs, atol=1e-3, rtol=1e-4)


@pytest.mark.parametrize("frames", [16, 25, 48, 64])
def test_valid_padding_is_causal_padding_without_the_oldest_fifteen(frames):
    video = torch.randn(2, 1, frames, 3, 4)
    frontend = LearnableTemporalConfig(padding="valid").build(GRID)
    out = frontend(video)
    assert out.shape == (2, 4, frames - 15, 3, 4)
    torch.testing.assert_close(out, functional.conv3d(video, frontend.kernels[..., None, None]), atol=1e-5, rtol=1e-4)


def test_valid_padding_refuses_a_window_shorter_than_the_kernel():
    frontend = LearnableTemporalConfig(padding="valid").build(GRID)
    with pytest.raises(AblateError, match="needs 16 frames and the window has 9"):
        frontend(torch.randn(1, 1, 9, 3, 4))


@every_frontend
def test_a_future_frame_never_changes_a_past_output(config):
    frontend = config.build(GRID)
    video = torch.randn(2, 1, 40, 3, 4)
    changed = video.clone()
    changed[:, :, 33:] = torch.randn(2, 1, 7, 3, 4)
    before, after = frontend(video), frontend(changed)
    assert torch.equal(before[:, :, :-7], after[:, :, :-7])
    assert not torch.equal(before[:, :, -7:], after[:, :, -7:])


@every_frontend
def test_the_newest_output_reads_the_newest_frame(config):
    if getattr(config, "anti_aliasing", False) and config.window == "hann_dead_ends":
        pytest.skip("the lab's window cannot: that is its fault")
    video = torch.randn(1, 1, 40, 3, 4, requires_grad=True)
    config.build(GRID)(video)[:, :, -1].square().sum().backward()
    assert (video.grad[:, :, -1].abs() > 0).all()


@every_frontend
def test_every_parameter_gets_a_gradient(config):
    frontend = config.build(GRID)
    video = torch.randn(2, 1, 40, 3, 4)
    out = frontend(video)
    assert out.shape[1] == frontend.out.channels
    if list(frontend.parameters()):
        out.square().sum().backward()
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in frontend.parameters())


def test_sixty_four_parameters_of_unit_norm():
    (kernels,) = LearnableTemporalConfig().build(GRID).parameters()
    assert kernels.numel() == 64
    torch.testing.assert_close(kernels.flatten(1).norm(dim=1), torch.ones(4))


def test_the_first_kernels_are_a_gaussian_and_its_derivatives():
    kernels = initial_kernels(4, 1, 16)[:, 0]
    place = torch.linspace(-2.5, 2.5, 16, dtype=torch.float64, requires_grad=True)
    gauss = torch.exp(-(place**2) / 2)
    (first,) = torch.autograd.grad(gauss.sum(), place, create_graph=True)
    (second,) = torch.autograd.grad(first.sum(), place)
    for kernel, shape in zip(kernels, (gauss, first, second), strict=False):
        torch.testing.assert_close(kernel, (shape / shape.norm()).detach().float())
    assert kernels[3].abs()[[0, 15]].max() < kernels[3].abs().max()


@pytest.mark.parametrize("taps", [2, 5, 16])
def test_windows_are_scipys(taps):
    def close(name, expected):
        torch.testing.assert_close(window(name, taps), torch.from_numpy(expected.copy()).float(), atol=1e-6, rtol=1e-5)

    close("hann", hann(taps + 2, sym=True)[1:-1])
    close("hann_periodic", hann(taps, sym=False))
    close("hann_dead_ends", hann(taps, sym=True))


def test_hann_has_no_dead_tap_and_the_labs_has_two():
    dead = {name: int((window(name, 16) < 1e-7).sum()) for name in get_args(Window)}
    assert dead == {"hann": 0, "hann_periodic": 1, "hann_dead_ends": 2}
    assert window("hann_periodic", 16)[0] == 0  # the oldest


def test_dead_ends_get_no_gradient_and_so_never_learn():
    frontend = LearnableTemporalConfig(anti_aliasing=True, window="hann_dead_ends").build(GRID)
    frontend(torch.randn(1, 1, 40, 3, 4)).square().sum().backward()
    assert frontend.kernels.grad[..., [0, -1]].abs().max() < 1e-10
    assert (frontend.kernels.grad[..., 1:-1].abs() > 1e-6).all()


def test_anti_aliasing_adds_no_parameters_and_changes_the_output():
    torch.manual_seed(0)
    plain = LearnableTemporalConfig().build(GRID)
    torch.manual_seed(0)
    tapered = LearnableTemporalConfig(anti_aliasing=True).build(GRID)
    video = torch.randn(1, 1, 20, 3, 4)
    assert plain.state_dict().keys() == tapered.state_dict().keys()
    assert not torch.allclose(plain(video), tapered(video))


def test_the_window_is_not_read_without_anti_aliasing():
    video = torch.randn(1, 1, 20, 3, 4)
    outputs = []
    for name in get_args(Window):
        torch.manual_seed(0)
        outputs.append(LearnableTemporalConfig(window=name).build(GRID)(video))
    assert all(torch.equal(outputs[0], out) for out in outputs)


def test_blur_is_the_learned_filter_followed_by_a_binomial_filter():
    frontend = BlurConfig().build(GRID)
    video = torch.randn(2, 1, 40, 3, 4)
    learned = filter_time(video, frontend.kernels, 40)
    low_pass = torch.tensor([1.0, 4, 6, 4, 1]) / 16
    expected = functional.conv3d(
        functional.pad(learned, (0, 0, 0, 0, 4, 0)), low_pass.expand(4, 1, 5)[..., None, None], groups=4
    )
    torch.testing.assert_close(frontend(video), expected, atol=1e-5, rtol=1e-4)


def test_blur_is_a_low_pass_and_costs_no_parameters():
    frontend = BlurConfig().build(GRID)
    assert sum(p.numel() for p in frontend.parameters()) == 64
    frequency, response = freqz(frontend.low_pass.double().numpy(), worN=64)
    torch.testing.assert_close(
        torch.from_numpy(abs(response)), torch.from_numpy(frequency / 2).cos() ** 4, atol=1e-6, rtol=1e-6
    )


def test_blur_of_one_frame_is_no_blur():
    torch.manual_seed(0)
    blurred = BlurConfig(blur_taps=1).build(GRID)
    torch.manual_seed(0)
    plain = LearnableTemporalConfig().build(GRID)
    video = torch.randn(1, 1, 20, 3, 4)
    torch.testing.assert_close(blurred(video), plain(video))


@pytest.mark.parametrize("padding", get_args(Padding))
@pytest.mark.parametrize("kind", ["learnable_temporal", "blur"])
def test_every_option_is_read_and_works_on_the_meta_device(kind, padding):
    config = TypeAdapter(FrontendConfig).validate_python({"type": kind, "padding": padding, "channels": 2})
    with torch.device("meta"):
        assert config.build(GRID)(torch.randn(1, 1, 25, 3, 4)).shape[1] == 2


def test_none_gives_the_pixels_themselves():
    video = torch.randn(1, 1, 3, 3, 4)
    frontend = NoFrontendConfig().build(GRID)
    assert frontend(video) is video
    assert frontend.out == GRID
