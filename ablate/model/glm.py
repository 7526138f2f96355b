"""A lagged Poisson GLM: the honest lower reference. One linear filter a unit over the last frames, then a link.

    rate_u(t) = link(c_u + sum_{lag < lags} w[u, lag] . video[t - lag]
                         + sum_{lag < behavior_lags} v[u, lag] . behaviour[t - lag]
                         + spike history and coupling, if asked for (`model/history.py`))

Frames larger than `grid` are average-pooled first. With `basis: raised_cosine` the lags of w are spanned by
`basis_size` bumps that widen into the past (Pillow et al. 2008), made orthonormal. The loss is convex in w with either
link (Paninski 2004). exp is the canonical one; where frames have heavy tails (natural films) one frame beyond the
training range can cost it more than all others gain, and softplus, which grows linearly, does not. Inputs have unit
variance, and weights are stored in units of SCALE / sqrt(inputs), so that one step of AdamW moves the drive by about
the same whether there are 25 inputs or 6,400. Bins with fewer than `lags` frames before
them see zeros (the mean) there.
"""

import math
from collections.abc import Iterator
from typing import Literal

import torch
from einops import rearrange
from jaxtyping import Float
from pydantic import Field
from torch import Tensor, nn
from torch.nn import functional

from ablate.config import Config
from ablate.contract import DataSpec, EncodingBatch, EncodingSpec, Model, SessionSpec, SessionWindows
from ablate.errors import AblateError
from ablate.model.encoder import LOWEST_LOG_RATE, require_encoding
from ablate.model.history import HistoryConfig, history_lints
from ablate.model.layer.lag_basis import lag_basis
from ablate.model.layer.precision import full_precision
from ablate.model.layer.spaced import take_steps
from ablate.model.readout.base import rate_bias

SCALE = (
    20.0  # the weights of a 25-input filter are stored at a quarter of their size: AdamW crosses 1 in 250 steps of 1e-3
)
SCALE_OFFSET = 5.0


class GlmConfig(Config):
    """A linear filter a unit over the last frames, then exp or softplus (the lower reference)."""

    type: Literal["glm"] = "glm"
    link: Literal["exp", "softplus"] = "exp"
    """From the filters' sum to the rate. softplus does not explode on frames beyond the training range."""
    lags: int = Field(default=25, ge=1, le=16_384)
    """Frames that a filter sees, the bin's own frame first."""
    grid: int = Field(default=16, ge=1, le=16_384)
    """Most rows and columns; larger frames are average-pooled to it."""
    behavior_lags: int = Field(default=0, ge=0)
    """Frames of behaviour that are read as well; 0 leaves behaviour out."""
    basis: Literal["none", "raised_cosine"] = "none"
    """What spans the lags: every lag its own weight, or bumps that widen into the past."""
    basis_size: int = Field(default=8, ge=1, le=16_384)
    """Bumps of the basis (at most `lags`). Read only with `basis: raised_cosine`."""
    l2: float = Field(default=0.0, ge=0)
    """Ridge: weight of the summed squared filter weights in the loss."""
    smoothness: float = Field(default=0.0, ge=0)
    """Weight of the summed squared second differences of the filters over lags in the loss."""
    history: HistoryConfig = HistoryConfig()
    """Spikes of before the bin: a unit's own, and by `coupling` those of the others."""

    def build(self, spec: DataSpec) -> "Glm":
        return Glm(self, require_encoding(spec, self.type))


class Glm(Model):
    """One linear model a session (in the order of `spec.sessions`); sessions share nothing."""

    def __init__(self, config: GlmConfig, spec: EncodingSpec) -> None:
        super().__init__()
        self.filters = nn.ModuleList(SessionGlm(config, session) for session in spec.sessions)
        self.given, self.history = config.history, config.history.build(spec.sessions)
        self.reads_spikes = config.history.lags

    def forward(self, batch: EncodingBatch) -> tuple[Float[Tensor, "b n u"], ...]:
        """Log-rates of each session of the batch at its lags, oldest first; float32, at least -20."""
        return tuple(
            self.filters[windows.session](windows, batch.lags, self.history[windows.session](windows))
            for windows in batch.sessions
        )

    def compile(self, *args: object, **options: object) -> None:
        """Nothing: two matrix products a session gain nothing by it, and every session would be a graph."""

    def penalty(self) -> Float[Tensor, ""]:
        """Ridge and smoothness, summed over the sessions."""
        filters = torch.stack([session.penalty() for session in self.filters]).sum()  # type: ignore[operator]
        return sum((session.penalty() for session in self.history), filters)  # type: ignore[operator,return-value]

    def parts(self) -> dict[str, list[nn.Module]]:
        """All of it is readout, but for the filters of past spikes."""
        return {"readout": list(self.filters), **({"history": list(self.history)} if self.reads_spikes else {})}

    def lints(self) -> Iterator[str]:
        yield from history_lints(self.given)


class SessionGlm(nn.Module):
    """One session's filters."""

    basis: Float[Tensor, "lags m"]
    start: Float[Tensor, " u"]

    def __init__(self, config: GlmConfig, session: SessionSpec) -> None:
        super().__init__()
        self.size = min(session.height, config.grid), min(session.width, config.grid)
        self.l2, self.smoothness = config.l2, config.smoothness
        basis = lag_basis(config.lags, config.basis_size if config.basis == "raised_cosine" else None)
        self.register_buffer("basis", basis, persistent=False)
        inputs = basis.shape[1] * self.size[0] * self.size[1]
        self.scale = SCALE / math.sqrt(inputs)
        self.weight = nn.Parameter(torch.zeros(session.units, inputs))
        self.behavior_lags = config.behavior_lags
        if config.behavior_lags and session.behaviors == 0:
            raise AblateError(
                f"`behavior_lags` is {config.behavior_lags} and session `{session.name}` has no behaviour",
                where="baseline.behavior_lags",
                hint="set `behavior_lags: 0`",
            )
        if config.behavior_lags:
            self.behavior_weight = nn.Parameter(torch.zeros(session.units, config.behavior_lags * session.behaviors))
        self.link = config.link
        mean = rate_bias(session.mean_rate).detach()
        # The inverse of softplus is x + log(1 - exp(-x)): with either link the rate starts at the mean rate.
        start = mean if self.link == "exp" else mean.exp() + (-torch.expm1(-mean.exp())).log()
        self.register_buffer("start", start, persistent=False)
        self.offset = nn.Parameter(torch.zeros(session.units))

    def forward(
        self, windows: SessionWindows, lags: tuple[int, ...], added: Tensor | float = 0.0
    ) -> Float[Tensor, "b n u"]:
        """added: what else the drive is made of."""
        with full_precision(windows.stimulus.device):
            pixels = pool(windows.stimulus.float(), self.size)  # b t p
            past = last_frames(pixels, lags, len(self.basis))  # b n p lag
            inputs = rearrange(past @ self.basis, "b n p m -> b n (m p)")
            drive = self.scale * (inputs @ self.weight.T) + self.bias
            if self.behavior_lags:
                drive = drive + self._from_behavior(windows.behavior, lags)
            drive = (drive + added).clamp(min=LOWEST_LOG_RATE)
            return drive if self.link == "exp" else functional.softplus(drive).log()

    @property
    def bias(self) -> Float[Tensor, " u"]:
        """Drive at the mean input. It falls by several units as the filters grow, so it must not be the slow one."""
        return self.start + SCALE_OFFSET * self.offset

    def _from_behavior(self, behavior: Tensor | None, lags: tuple[int, ...]) -> Float[Tensor, "b n u"]:
        """The linear part that behaviour adds."""
        assert behavior is not None  # the session's specification promised it
        past = rearrange(last_frames(behavior.float(), lags, self.behavior_lags), "b n k lag -> b n (lag k)")
        return SCALE / math.sqrt(past.shape[-1]) * (past @ self.behavior_weight.T)

    def filters(self) -> Float[Tensor, "u lags p"]:
        """The fitted filters, the bin's own frame last."""
        weights = rearrange(self.weight * self.scale, "u (m p) -> u m p", m=self.basis.shape[1])
        return torch.einsum("lm,ump->ulp", self.basis, weights)

    def penalty(self) -> Float[Tensor, ""]:
        """Zero unless asked for; behaviour is left free."""
        total = self.offset.new_zeros(())
        if self.l2:
            total = total + self.l2 * (self.scale * self.weight).square().sum()
        if self.smoothness:
            total = total + self.smoothness * self.filters().diff(n=2, dim=1).square().sum()
        return total


def pool(stimulus: Float[Tensor, "b 1 t h w"], size: tuple[int, int]) -> Float[Tensor, "b t p"]:
    """Frames averaged down to `size`."""
    frames = rearrange(stimulus, "b 1 t h w -> b t h w")
    return rearrange(functional.adaptive_avg_pool2d(frames, size), "b t h w -> b t (h w)")


def last_frames(values: Float[Tensor, "b t k"], lags: tuple[int, ...], count: int) -> Float[Tensor, "b n k count"]:
    """The `count` frames up to each scored bin, oldest first; zeros before the window's first frame."""
    padded = functional.pad(values, (0, 0, count - 1, 0))
    return take_steps(padded.unfold(1, count, 1), [values.shape[1] - 1 - lag for lag in lags], axis=1)
