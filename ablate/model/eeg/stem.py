"""The stem that EEG encoders share: a temporal filter on every channel, then a spatial filter over channels.

    out_g(t) = sum_f sum_c w[g, f, c] (k_f * x_c)(t)

Both steps are linear, so they are one convolution whose kernel is sum_f w[g, f, c] k_f: the same function as two
layers, several times faster on short segments.
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional


class SpatioTemporal(nn.Module):
    """(s, channels, samples) to (s, maps, samples).

    filters: temporal filters. maps: outputs. grouped: map g reads only temporal filter g // (maps / filters), as in
    EEGNet; otherwise every map reads every filter, as in the Conformer.
    """

    def __init__(self, channels: int, filters: int, maps: int, kernel_size: int, *, grouped: bool):
        super().__init__()
        self.grouped, self.repeats = grouped, maps // filters
        read = 1 if grouped else filters
        self.temporal = nn.Parameter(torch.randn(filters, kernel_size) * kernel_size**-0.5)
        self.spatial = nn.Parameter(torch.randn(maps, read, channels) * (read * channels) ** -0.5)

    def kernel(self) -> Float[Tensor, "g c k"]:
        """The kernel of the one convolution."""
        if self.grouped:
            temporal = self.temporal.repeat_interleave(self.repeats, dim=0)
            return torch.einsum("gc,gk->gck", self.spatial[:, 0], temporal)
        return torch.einsum("gfc,fk->gck", self.spatial, self.temporal)

    def forward(self, eeg: Float[Tensor, "s c p"]) -> Float[Tensor, "s g p"]:
        reach = self.temporal.shape[1] - 1
        return functional.conv1d(functional.pad(eeg, (reach // 2, reach - reach // 2)), self.kernel())
