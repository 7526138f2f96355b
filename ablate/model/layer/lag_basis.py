"""Raised cosines over lags (Pillow et al. 2008): bumps that widen into the past, made orthonormal."""

import torch
from jaxtyping import Float
from torch import Tensor


def lag_basis(lags: int, bumps: int | None) -> Float[Tensor, "lags m"]:
    """Orthonormal columns over the lags, oldest lag first; without bumps every lag is its own column.

    cos bumps of width two spacings at equal distances in log(lag + 1), the newest lag 0. At most `lags` bumps.
    """
    if bumps is None:
        return torch.eye(lags)
    bumps = min(bumps, lags)
    time = torch.log1p(torch.arange(lags, dtype=torch.float64))
    centers = torch.linspace(0, float(time[-1]), bumps, dtype=torch.float64)
    width = float(centers[1]) if bumps > 1 else 1.0
    phase = ((time[:, None] - centers) / width * torch.pi / 2).clamp(-torch.pi, torch.pi)
    shapes = (1 + torch.cos(phase)) / 2
    return torch.linalg.qr(shapes.flip(0)).Q.float()
