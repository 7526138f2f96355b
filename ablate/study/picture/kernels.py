"""The temporal kernels of a frontend, measured: its response to one bright frame at one pixel.

    kernel[c, j] = frontend(impulse at frame s)[c, s + j] - frontend(nothing)[c, s + j]

For a linear frontend these are its kernels, whatever its class, windows and low-passes; a frontend that passes frames
through has none.
"""

import torch
from torch import Tensor, nn

from ablate.contract import DataSpec, EncodingSpec
from ablate.model.encoder import Encoder
from ablate.result.picture import KernelPicture

BEFORE, AFTER = 64, 64
"""Frames before the impulse, which a frontend without padding consumes, and frames watched from it on."""
NOTHING = 1e-6
"""Share of the largest weight below which a tap is taken as none."""


def kernel_picture(model: nn.Module, spec: DataSpec) -> KernelPicture | None:
    """None where there is no frontend, or one without memory."""
    kernels = frontend_kernels(model) if isinstance(spec, EncodingSpec) else None
    if kernels is None or not isinstance(spec, EncodingSpec):
        return None
    return KernelPicture(weights=tuple(map(tuple, kernels.tolist())), bin_rate_hz=spec.sessions[0].bin_rate_hz)


@torch.no_grad()
def frontend_kernels(model: nn.Module) -> Tensor | None:
    """(c, lag) on the CPU, newest lag first; None where there is no frontend, or one without memory."""
    if not isinstance(model, Encoder):
        return None
    grid = model.grid
    device = next(model.parameters()).device
    dark = torch.zeros(1, grid.channels, BEFORE + AFTER, grid.height, grid.width, device=device)
    row, col = grid.height // 2, grid.width // 2
    bright = dark.clone()
    bright[:, :, BEFORE, row, col] = 1.0
    change = (model.frontend(bright) - model.frontend(dark))[0]  # c t2 h w
    at = (row * change.shape[2] // grid.height, col * change.shape[3] // grid.width)
    kernels = change[:, -AFTER:, at[0], at[1]].float().cpu()  # c lag
    size = kernels.abs().amax(dim=0)
    taps = int(torch.nonzero(size > NOTHING * size.max()).max()) + 1 if size.max() > 0 else 0
    return kernels[:, :taps] if taps >= 2 else None
