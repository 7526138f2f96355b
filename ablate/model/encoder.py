"""The encoding model: video and behaviour in, log-rates of every session's units out.

    adapter (a session) -> frontend -> core -> modulator -> scored steps -> readout + history (a session) -> log-rates

All sessions of a batch share one pass through frontend, core and modulator. Every step of the core ends `time_step`
frames before the next and the newest ends at the newest frame, so that the bin `lag` frames back is read from step
`lag / time_step` back. The rate of a bin depends on frames and behaviour up to it, never later; with `history`
(`model/history.py`) on spikes before it as well.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Literal

import torch
from einops import reduce
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional

from ablate.config import Config
from ablate.contract import (
    Adapter,
    Core,
    DataSpec,
    EncodingBatch,
    EncodingSpec,
    FeatureMap,
    Frontend,
    Model,
    Modulator,
    Part,
    Readout,
)
from ablate.errors import AblateError
from ablate.model.adapter import AdapterConfig, AffineConfig
from ablate.model.compiled import CompiledRows
from ablate.model.core import CoreConfig, ViViTConfig
from ablate.model.frontend import FrontendConfig, LearnableTemporalConfig
from ablate.model.history import HistoryConfig, history_lints
from ablate.model.layer.imported import kept
from ablate.model.layer.spaced import take_steps
from ablate.model.modulator import ConvGruConfig, ModulatorConfig, NoModulatorConfig
from ablate.model.readout import GaussianConfig, ReadoutConfig
from ablate.model.start import StartConfig, begin, prepare, told

LOWEST_LOG_RATE = -20.0  # 2e-9 spikes a bin: keeps the Poisson loss finite


class EncoderConfig(Config):
    """Adapter, frontend, core, modulator and readout; the defaults are the recorded baseline `vivit_small`."""

    type: Literal["encoder"] = "encoder"
    adapter: AdapterConfig = AffineConfig()
    """Places each session's video on the common grid."""
    frontend: FrontendConfig = LearnableTemporalConfig()
    """Filters time at every pixel."""
    core: CoreConfig = ViViTConfig()  # type: ignore[call-arg]  # mypy takes its positional defaults for required
    """The backbone."""
    modulator: ModulatorConfig = ConvGruConfig()
    """Brings behaviour into the features."""
    readout: ReadoutConfig = GaussianConfig()
    """Features to log-rates, a session each."""
    history: HistoryConfig = HistoryConfig()
    """Spikes of before the bin, added to the log-rates: a unit's own, and by `coupling` those of the others."""
    init: StartConfig | None = None
    """Parts that start from a trained model, frozen or not."""

    def build(self, spec: DataSpec) -> "Encoder":
        """Raises AblateError where the parts, or the parts and the data, do not fit."""
        return Encoder(self, require_encoding(spec, self.type))


class Encoder(Model):
    """One shared backbone, an adapter and a readout for each session (in the order of `spec.sessions`)."""

    def __init__(self, config: EncoderConfig, spec: EncodingSpec) -> None:
        super().__init__()
        adapters = [kept(config.adapter.build(s.height, s.width), Adapter) for s in spec.sessions]
        self.adapters = nn.ModuleList(adapters)
        self.grid = common_grid(adapters, spec)
        self.frontend = kept(config.frontend.build(self.grid), Frontend)
        self.core = kept(config.core.build(self.frontend.out), Core)
        behaviors = 0 if isinstance(config.modulator, NoModulatorConfig) else common_behaviors(spec)
        self.modulator = kept(config.modulator.build(self.core.out, behaviors), Modulator)
        last = self.modulator.out
        self.readouts = nn.ModuleList(kept(config.readout.build(last, s.mean_rate), Readout) for s in spec.sessions)
        self.given, self.history = config.history, config.history.build(spec.sessions)
        self.reads_spikes = config.history.lags
        self.time_step = last.time_step
        check_steps(spec, self.time_step)
        self.receptive_field = widened(self.core, self.frontend)
        self.shared: Callable[..., Tensor] = self._shared
        self.start = config.init
        prepare(self, config.init)

    def forward(self, batch: EncodingBatch) -> tuple[Float[Tensor, "b n u"], ...]:
        """Log-rates of each session of the batch at its lags, oldest first; float32, at least -20."""
        videos = [self.adapters[windows.session](windows.stimulus) for windows in batch.sessions]
        features = self.shared(torch.cat(videos), shared_behavior(batch), lags=batch.lags)  # b d n h2 w2
        shares = features.split([len(video) for video in videos])
        rates = (
            self.readouts[windows.session](share).float() + self.history[windows.session](windows)
            for windows, share in zip(batch.sessions, shares, strict=True)
        )
        return tuple(log_rate.clamp(min=LOWEST_LOG_RATE) for log_rate in rates)

    def _shared(
        self,
        video: Float[Tensor, "b c t h w"],
        behavior: Float[Tensor, "b t k"] | None,
        *,
        lags: tuple[int, ...],
    ) -> Float[Tensor, "b d n h2 w2"]:
        """Frontend, core and modulator, which all sessions pass together: features at the scored bins."""
        features = self.core(self.frontend(video))  # b d t2 h2 w2
        if behavior is not None:
            behavior = step_means(behavior, features.shape[2], self.time_step)
        return scored_steps(self.modulator(features, behavior), lags, self.time_step)

    def compile(self, *args: object, **options: object) -> None:
        """Compiles what all sessions share: one graph for training and one for evaluation.

        Adapters and readouts stay outside: which sessions a batch holds changes from step to step, and would be a graph
        each.
        """
        self.shared = CompiledRows(self._shared, *args, **options)

    def penalty(self) -> Float[Tensor, ""]:
        """The regularisers of readouts and histories, summed over the sessions."""
        readouts = torch.stack([kept(readout, Readout).penalty() for readout in self.readouts]).sum()
        return sum((one.penalty() for one in self.history), readouts)  # type: ignore[operator,return-value]

    def progress(self, fraction: float) -> None:
        """Tells every part that has a schedule how much of training is done."""
        for parts in self._flow().values():
            for part in parts:
                part.progress(fraction)

    def parts(self) -> dict[str, nn.Module | Sequence[nn.Module]]:
        """The modules of each part in the order of the flow; a core may name parts of its own."""
        return {
            "adapter": list(self.adapters),
            "frontend": self.frontend,
            **(self.core.parts() or {"core": self.core}),
            "modulator": self.modulator,
            "readout": list(self.readouts),
            **({"history": list(self.history)} if self.reads_spikes else {}),
        }

    def cost_notes(self) -> dict[str, str]:
        return told(self.start)

    def begin(self) -> None:
        begin(self, self.start)

    def backbone(self) -> Core:
        return self.core

    def lints(self) -> Iterator[str]:
        """What the parts say of themselves; what every session's part says is said once."""
        for name, parts in self._flow().items():
            yield from (f"{name}.{text}" for text in parts[0].lints())
        yield from history_lints(self.given)

    def _flow(self) -> dict[str, list[Part]]:
        """Every part, in the order of the flow."""
        return {
            "adapter": [kept(adapter, Adapter) for adapter in self.adapters],
            "frontend": [self.frontend],
            "core": [self.core],
            "modulator": [self.modulator],
            "readout": [kept(readout, Readout) for readout in self.readouts],
        }


# ------------------------------------------------------------------ time


def shared_behavior(batch: EncodingBatch) -> Float[Tensor, "b t k"] | None:
    """Behaviour of the whole batch; None if any session has none, or the sessions' differ in width."""
    values = [windows.behavior for windows in batch.sessions if windows.behavior is not None]
    if len(values) < len(batch.sessions) or len({value.shape[-1] for value in values}) > 1:
        return None
    return torch.cat(values)


def scored_steps(features: Float[Tensor, "b d t h w"], lags: Sequence[int], step: int) -> Float[Tensor, "b d n h w"]:
    """The steps that end at the scored bins, oldest first."""
    steps = features.shape[2]
    if max(lags) // step >= steps:
        raise AblateError(
            f"a bin is scored {max(lags)} frames back, and the core gives {steps} steps of {step} frames",
            where="data.warmup",
            hint=f"set `data.warmup` to at least `data.window` - {(steps - 1) * step + 1}",
        )
    return take_steps(features, [steps - 1 - lag // step for lag in lags], axis=2)


def step_means(values: Float[Tensor, "b t k"], steps: int, step: int) -> Float[Tensor, "b t2 k"]:
    """Means over the frames of each step; the newest step ends at the newest frame.

    Where steps reach beyond the oldest frame, that frame stands in for those before it.
    """
    missing = steps * step - values.shape[1]
    if missing > 0:
        values = functional.pad(values.mT, (missing, 0), mode="replicate").mT
    return reduce(values[:, -steps * step :], "b (t2 step) k -> b t2 k", "mean", step=step)


# ------------------------------------------------------------------ what must fit


def require_encoding(spec: DataSpec, kind: str) -> EncodingSpec:
    """The specification of an encoding study. Raises AblateError for any other kind of data."""
    if isinstance(spec, EncodingSpec):
        return spec
    raise AblateError(
        f"the model `{kind}` predicts spikes, and the data give {spec.task}",
        where="baseline.type",
        hint="use `type: fusion` for labels, or data of type synthetic_v1 or recordings for spikes",
    )


def common_grid(adapters: Sequence[Adapter], spec: EncodingSpec) -> FeatureMap:
    """The grid that all adapters give. Raises AblateError if they give different ones."""
    grids = [adapter.out for adapter in adapters]
    for grid, session in zip(grids, spec.sessions, strict=True):
        if (grid.height, grid.width) != (grids[0].height, grids[0].width):
            raise AblateError(
                f"session `{session.name}` is {grid.height} x {grid.width} pixels and `{spec.sessions[0].name}` "
                f"is {grids[0].height} x {grids[0].width}: one core needs one grid",
                where="baseline.adapter",
                hint="set `adapter: {type: affine, grid: 51}`",
            )
    return grids[0]


def common_behaviors(spec: EncodingSpec) -> int:
    """Behaviour variables, the same in all sessions. Raises AblateError if they differ."""
    counts = {session.behaviors: session.name for session in spec.sessions}
    if len(counts) > 1:
        counted = ", ".join(f"{name}: {count}" for count, name in counts.items())
        raise AblateError(
            f"the sessions have different numbers of behaviour variables ({counted}), and one modulator reads them all",
            where="baseline.modulator",
            hint="set `modulator: {type: none}`, or `data.behavior: none`",
        )
    return next(iter(counts))


def check_steps(spec: EncodingSpec, time_step: int) -> None:
    """Raises AblateError if a step of the core does not end at every scored bin."""
    if spec.score_every % time_step:
        raise AblateError(
            f"bins are scored every {spec.score_every} frames, and the core makes a step every {time_step}",
            where="data.score_every",
            hint=f"set `data.score_every` to a multiple of {time_step}, or choose a stride in time of the core "
            f"that divides {spec.score_every}",
        )


def widened(core: Core, frontend: Frontend) -> dict[str, float] | None:
    """The core's receptive field, in time widened by the frontend's; None where the core does not say."""
    if core.receptive_field is None:
        return None
    before = frontend.receptive_field or {"frames": 1}
    field = {**core.receptive_field, "frames": core.receptive_field["frames"] + before["frames"] - 1}
    return {axis: float(extent) for axis, extent in field.items()}
