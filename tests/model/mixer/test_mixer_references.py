"""The mixers against naive forms of the same mathematics in float64, and the receptive field by gradient."""

import pytest
import torch

from ablate.model.layer.attention.masked_attention import attend
from ablate.model.mixer.gru import GruConfig
from ablate.model.mixer.mamba import MambaLayer, selective_scan
from ablate.model.mixer.s4d import S4dKernel, S4dLayer, causal_fft_conv
from ablate.model.mixer.tcn import TcnConfig
from ablate.model.mixer.transformer import TransformerLayer, rotate


def test_s4d_convolution_equals_the_recurrence() -> None:
    torch.manual_seed(0)
    kernel = S4dKernel(hidden=5, state=8, length=32).double()
    u = torch.randn(3, 5, 32, dtype=torch.double)
    with torch.no_grad():
        a_bar, b_bar, c = kernel.discrete()
        state = torch.zeros(3, 5, 4, dtype=torch.cdouble)
        naive = []
        for j in range(32):
            state = a_bar * state + b_bar * u[:, :, j, None]
            naive.append(2 * (c * state).sum(-1).real)
        expected = torch.stack(naive, dim=-1)
        result = causal_fft_conv(u.float(), kernel(32).float())
    torch.testing.assert_close(result.double(), expected, atol=1e-4, rtol=1e-4)


def test_s4d_starts_with_the_linear_frequencies_and_short_steps() -> None:
    kernel = S4dKernel(hidden=64, state=8, length=10)
    a = torch.complex(-kernel.log_decay.exp(), kernel.frequency)
    torch.testing.assert_close(a[0], torch.tensor([-0.5 + 1j * torch.pi * n for n in range(4)]))
    dt = kernel.log_dt.exp()
    assert dt.min() >= 1 / 40 - 1e-6
    assert dt.max() <= 1


def test_a_nan_in_a_pad_does_not_pass_the_fft() -> None:
    layer = S4dLayer(4, 4, 8, 6)
    x = torch.randn(1, 6, 4)
    valid = torch.tensor([[True] * 4 + [False] * 2])
    poisoned = x.clone()
    poisoned[0, 4:] = torch.nan
    torch.testing.assert_close(layer(poisoned, valid)[0, :4], layer(x, valid)[0, :4], atol=1e-6, rtol=1e-5)


def test_mamba_scan_equals_one_channel_at_a_time() -> None:
    generator = torch.Generator().manual_seed(0)

    def draw(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.double)

    z, dt, a, b, c = draw(2, 7, 3), draw(2, 7, 3).exp(), -draw(3, 4).exp(), draw(2, 7, 4), draw(2, 7, 4)
    expected = torch.zeros(2, 7, 3, dtype=torch.double)
    for s in range(2):
        for h in range(3):
            for n in range(4):
                state = 0.0
                for j in range(7):
                    step = float(dt[s, j, h])
                    state = float(torch.exp(dt[s, j, h] * a[h, n])) * state + step * float(b[s, j, n] * z[s, j, h])
                    expected[s, j, h] += state * c[s, j, n]
    torch.testing.assert_close(selective_scan(z, dt, a, b, c), expected)


def test_mamba_marks_decay_and_skip_and_starts_with_the_papers_steps() -> None:
    layer = MambaLayer(32, 64, 16, 4)
    assert layer.a_log.no_decay
    assert layer.skip.no_decay
    assert layer.rank == 2
    dt = torch.nn.functional.softplus(layer.dt.bias)
    assert dt.min() >= 0.999e-3
    assert dt.max() <= 0.1001


@pytest.mark.parametrize(("kernel_size", "blocks", "depth"), [(3, 1, 1), (3, 2, 1), (2, 3, 1), (3, 1, 2)])
def test_tcn_receptive_field_by_gradient_is_what_it_says(kernel_size: int, blocks: int, depth: int) -> None:
    torch.manual_seed(0)
    config = TcnConfig(kernel_size=kernel_size, blocks=blocks, depth=depth)
    mixer = config.build(16, 1, 40)
    tokens = torch.randn(4, 1, 40, 16, requires_grad=True)
    mixer(tokens, torch.ones(4, 1, 40, dtype=torch.bool))[:, 0, 39].square().sum().backward()
    assert tokens.grad is not None
    reached = tokens.grad[:, 0].abs().sum(dim=(0, 2)) > 0
    assert int(reached.sum()) == config.receptive_field()
    assert reached[40 - config.receptive_field() :].all()


def test_attention_equals_a_plain_softmax_in_float64() -> None:
    generator = torch.Generator().manual_seed(0)
    q, k, v = (torch.randn(2, 3, 5, 4, generator=generator, dtype=torch.double) for _ in range(3))
    visible = torch.rand(2, 1, 5, 5, generator=generator) < 0.5
    visible[0, 0, 2] = False
    expected = torch.zeros(2, 3, 5, 4, dtype=torch.double)
    for s in range(2):
        for h in range(3):
            for row in range(5):
                seen = visible[s, 0, row]
                if seen.any():
                    weights = torch.softmax(k[s, h, seen] @ q[s, h, row] / 2, dim=0)
                    expected[s, h, row] = weights @ v[s, h, seen]
    torch.testing.assert_close(attend(q, k, v, visible), expected)


def test_the_widely_copied_fill_leaks_uniformly_where_ours_is_zero() -> None:
    q, k, v = torch.randn(1, 1, 1, 4), torch.randn(1, 1, 6, 4), torch.randn(1, 1, 6, 4)
    nothing = torch.zeros(1, 1, 1, 6, dtype=torch.bool)
    scores = (q @ k.transpose(-1, -2)).masked_fill(~nothing, torch.finfo(torch.float32).min)
    naive = scores.softmax(dim=-1) @ v
    torch.testing.assert_close(naive[0, 0, 0], v[0, 0].mean(0))
    assert (attend(q, k, v, nothing) == 0).all()


def test_rotary_products_depend_on_the_distance_alone() -> None:
    q, k = torch.randn(1, 1, 1, 8).expand(1, 1, 9, 8), torch.randn(1, 1, 1, 8).expand(1, 1, 9, 8)
    products = (rotate(q) @ rotate(k).transpose(-1, -2))[0, 0]
    torch.testing.assert_close(products[2, 0], products[8, 6])
    assert (products[2, 0] - products[5, 0]).abs() > 1e-4


def test_transformer_layer_attends_like_torch_when_all_is_visible() -> None:
    torch.manual_seed(0)
    layer = TransformerLayer(8, 16, 2, causal=False)
    x, valid = torch.randn(2, 1, 8), torch.ones(2, 1, dtype=torch.bool)
    mixed = layer.project(layer.qkv(x)[..., 16:])  # with one frame the attention is its own value
    torch.testing.assert_close(layer(x, valid), mixed + layer.feed_forward(layer.norm(x + mixed)))


def test_gru_mixer_equals_torch_on_an_unpadded_sequence() -> None:
    torch.manual_seed(0)
    mixer = GruConfig().build(8, 1, 5)
    x = torch.randn(2, 1, 5, 8)
    layer = mixer.forwards[0]
    expected = x[:, 0] + layer.out(layer.gru(mixer.norms[0](x[:, 0]))[0])
    mixed = mixer(x, torch.ones(2, 1, 5, dtype=torch.bool))[:, 0]
    torch.testing.assert_close(mixed, torch.nn.functional.rms_norm(expected, (8,), eps=1e-6))
