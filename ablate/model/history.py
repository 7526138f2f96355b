"""Spike history and coupling: a unit's own past spikes, and those of the others, added to its log-rate.

    drive_u(t) += sum_{lag = 1..lags} [ h[u, lag] . s_u(t - lag) + sum_{v != u} k[u, v, lag] . s_v(t - lag) ]

s: counts less their mean, in deviations of bins with spikes (`contract.PastSpikes`), so that for a unit that fires once
now and then exp(h) is the factor of its rate after one spike; where a count is not known it is taken for the mean. The
model of Truccolo et al. 2005 and Pillow et al. 2008. Weights start at zero: at first nothing changes. They are stored
in units of SCALE / sqrt(inputs), own and others' apart, so that many others do not slow down a unit's own.

A score with history is conditional on the spikes that were counted before each bin: it tells how well the next bin is
predicted, not how much of a response the stimulus explains.
"""

import math
from collections.abc import Iterator, Sequence
from typing import Literal

import torch
from einops import rearrange
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn

from ablate.config import Config
from ablate.contract import SessionSpec, SessionWindows
from ablate.errors import AblateError
from ablate.model.layer.lag_basis import lag_basis
from ablate.model.layer.precision import full_precision

SCALE = 20.0  # as of the GLM's filters: 25 weights are stored at a quarter of their size


class HistoryConfig(Config):
    """What a unit's rate takes from spikes before the bin; scores are then conditional on those."""

    lags: int = Field(default=0, ge=0, le=16_384)
    """Bins before the bin whose counts are read; 0 = none."""
    coupling: bool = False
    """Also the other units of the session, each pair by a filter of its own."""
    basis: Literal["none", "raised_cosine"] = "none"
    """What spans the lags: every lag its own weight, or bumps that widen into the past."""
    basis_size: int = Field(default=8, ge=1, le=16_384)
    """Bumps of the basis (at most `lags`). Read only with `basis: raised_cosine`."""
    l2: float = Field(default=0.0, ge=0)
    """Ridge: weight of the summed squared filters in the loss."""
    smoothness: float = Field(default=0.0, ge=0)
    """Weight of the summed squared second differences of the filters over lags in the loss."""

    def build(self, sessions: Sequence[SessionSpec]) -> nn.ModuleList:
        """A `SessionHistory` for each session."""
        return nn.ModuleList(SessionHistory(self, session) for session in sessions)


class SessionHistory(nn.Module):
    """The units of one session. Without lags it has no weights and adds nothing."""

    basis: Tensor
    sizes: Tensor

    def __init__(self, config: HistoryConfig, session: SessionSpec) -> None:
        super().__init__()
        self.lags, self.l2, self.smoothness, self.coupling = config.lags, config.l2, config.smoothness, config.coupling
        if not config.lags:
            return
        bumps = config.basis_size if config.basis == "raised_cosine" else None
        self.register_buffer("basis", lag_basis(config.lags, bumps).flip(0), persistent=False)  # newest lag first
        units, width = session.units, self.basis.shape[1]
        own = SCALE / math.sqrt(width)
        if config.coupling:
            others = SCALE / math.sqrt(width * max(units - 1, 1))
            sizes = torch.full((units, units), others).fill_diagonal_(own)[..., None]
            self.weight = nn.Parameter(torch.zeros(units, units, width))  # u v m: the own filters are its diagonal
        else:
            sizes = torch.full((1, 1), own)
            self.weight = nn.Parameter(torch.zeros(units, width))
        self.register_buffer("sizes", sizes, persistent=False)

    def forward(self, windows: SessionWindows) -> Float[Tensor, "b n u"] | float:
        """What is added to the drive of each unit at each scored bin."""
        if not self.lags:
            return 0.0
        if windows.past is None:
            hint = "set `history.lags: 0`"
            raise AblateError("the data give no spikes of before a bin", where="baseline.history", hint=hint)
        with full_precision(windows.stimulus.device):
            past = torch.einsum("bnlu,lm->bnum", windows.past.before(self.lags).float(), self.basis)
            weight = self.weight * self.sizes
            if not self.coupling:
                return (past * weight).sum(-1)
            return rearrange(past, "b n v m -> b n (v m)") @ rearrange(weight, "u v m -> u (v m)").T

    def filters(self) -> Float[Tensor, "u v lags"]:
        """What one deviation of unit v adds to the drive of unit u, the bin just before first; v is one where a unit
        reads its own spikes alone."""
        weight = self.weight * self.sizes
        return (weight if self.coupling else weight[:, None]) @ self.basis.T

    def penalty(self) -> Float[Tensor, ""] | float:
        """Ridge and smoothness; zero unless asked for."""
        total: Tensor | float = 0.0
        if self.lags and self.l2:
            total = total + self.l2 * self.filters().square().sum()
        if self.lags and self.smoothness:
            total = total + self.smoothness * self.filters().diff(n=2, dim=-1).square().sum()
        return total


def history_lints(config: HistoryConfig) -> Iterator[str]:
    """What a reader of the score must know."""
    if config.lags:
        others = " and those of its neighbours" if config.coupling else ""
        yield (
            f"history: a unit's rate is given its own spikes{others} of the {config.lags} bins before, so scores are "
            "conditional on spikes: hold them against other models with history, not against the stimulus alone"
        )
