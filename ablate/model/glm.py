"""A lagged Poisson GLM: the honest lower reference. One linear filter a unit over the last frames, then a link.

    rate_u(t) = link(c_u + sum_{lag < lags} w[u, lag] . video[t - lag]
                         + sum_{lag < behavior_lags} v[u, lag] . behaviour[t - lag])

Frames larger than `grid` are average-pooled first. With `basis: raised_cosine` the lags of w are spanned by
`basis_size` bumps that widen into the past (Pillow et al. 2008), made orthonormal. The loss is convex in w with either
link (Paninski 2004). exp is the canonical one; where frames have heavy tails (natural films) one frame beyond the
training range can cost it more than all others gain, and softplus, which grows linearly, does not. Inputs have unit
variance, and weights are stored in units of SCALE / sqrt(inputs), so that one step of AdamW moves the drive by about
the same whether there are 25 inputs or 6,400. Bins with fewer than `lags` frames before
them see zeros (the mean) there.
"""

import math
from typing import Any, Literal

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
from ablate.model.layer.precision import full_precision
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

    def build(self, spec: DataSpec) -> "Glm":
        return Glm(self, require_encoding(spec, self.type))


class Glm(Model):
    """One linear model a session (in the order of `spec.sessions`); sessions share nothing."""

    def __init__(self, config: GlmConfig, spec: EncodingSpec) -> None:
        super().__init__()
        self.filters = nn.ModuleList(SessionGlm(config, session) for session in spec.sessions)

    def forward(self, batch: EncodingBatch) -> tuple[Float[Tensor, "b n u"], ...]:
        """Log-rates of each session of the batch at its lags, oldest first; float32, at least -20."""
        return tuple(self.filters[windows.session](windows, batch.lags) for windows in batch.sessions)

    def compile(self, *args: Any, **options: Any) -> None:
        """Nothing: two matrix products a session gain nothing by it, and every session would be a graph."""

    def penalty(self) -> Float[Tensor, ""]:
        """Ridge and smoothness, summed over the sessions."""
        return torch.stack([session.penalty() for session in self.filters]).sum()  # type: ignore[operator]

    def parts(self) -> dict[str, list[nn.Module]]:
        """All of it is readout."""
        return {"readout": list(self.filters)}


class SessionGlm(nn.Module):
    """One session's filters."""

    basis: Float[Tensor, "lags m"]
    start: Float[Tensor, " u"]

    def __init__(self, config: GlmConfig, session: SessionSpec) -> None:
        super().__init__()
        self.size = min(session.height, config.grid), min(session.width, config.grid)
        self.l2, self.smoothness = config.l2, config.smoothness
        basis = lag_basis(config)
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

    def forward(self, windows: SessionWindows, lags: tuple[int, ...]) -> Float[Tensor, "b n u"]:
        with full_precision(windows.stimulus.device):
            pixels = pool(windows.stimulus.float(), self.size)  # b t p
            past = last_frames(pixels, lags, len(self.basis))  # b n p lag
            inputs = rearrange(past @ self.basis, "b n p m -> b n (m p)")
            drive = self.scale * (inputs @ self.weight.T) + self.bias
            if self.behavior_lags:
                drive = drive + self._from_behavior(windows.behavior, lags)
            drive = drive.clamp(min=LOWEST_LOG_RATE)
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
    ends = torch.tensor([values.shape[1] - 1 - lag for lag in lags], device=values.device)
    return padded.unfold(1, count, 1).index_select(1, ends)


def lag_basis(config: GlmConfig) -> Float[Tensor, "lags m"]:
    """Orthonormal columns over the lags, oldest lag first.

    Raised cosines on a log time axis: cos bumps of width two spacings at equal distances in log(lag + 1).
    """
    if config.basis == "none":
        return torch.eye(config.lags)
    bumps = min(config.basis_size, config.lags)
    time = torch.log1p(torch.arange(config.lags, dtype=torch.float64))
    centers = torch.linspace(0, float(time[-1]), bumps, dtype=torch.float64)
    width = float(centers[1]) if bumps > 1 else 1.0
    phase = ((time[:, None] - centers) / width * torch.pi / 2).clamp(-torch.pi, torch.pi)
    shapes = (1 + torch.cos(phase)) / 2
    return torch.linalg.qr(shapes.flip(0)).Q.float()
