"""Toy models and toy data that satisfy the contract, so that the loop is tested without any real part."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from ablate.contract import Dataset, EncodingSpec, FusionSpec, Model, SessionSpec, Target, no_decay
from ablate.training import TrainingConfig, fit, seeded, stream_seed

CPU = torch.device("cpu")


@dataclass
class ToyBatch:
    """Features (b, 1, d) of each session, and what they are scored against."""

    inputs: tuple[Tensor, ...]
    targets: tuple[Target, ...]

    @property
    def size(self) -> int:
        return sum(len(x) for x in self.inputs)

    def cut(self, parts: int) -> "tuple[ToyBatch, ...]":
        rows = len(self.inputs[0]) // parts  # every session sees the same rows
        return tuple(
            ToyBatch(
                tuple(x[start : start + rows] for x in self.inputs),
                tuple(target.rows(start, start + rows) for target in self.targets),
            )
            for start in range(0, rows * parts, rows)
        )


class ToyStream:
    """Rows drawn with replacement, one at a time, so that two small batches are one big batch cut in two."""

    def __init__(self, dataset: "ToyDataset", seed: int, batch_size: int):
        self.dataset, self.batch_size = dataset, batch_size
        self.generator = np.random.default_rng(seed)

    def __next__(self) -> ToyBatch:
        rows = [int(self.generator.integers(self.dataset.train_rows)) for _ in range(self.batch_size)]
        return self.dataset.batch(torch.tensor(rows))

    def state_dict(self) -> dict[str, Any]:
        return {"generator": self.generator.bit_generator.state}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.generator.bit_generator.state = state["generator"]


class ToyDataset(Dataset):
    """Poisson counts of a few units in two sessions, log-linear in the features; some bins masked, with NaN in them."""

    fingerprint = "toy"
    metric = "bits_per_spike"
    spec: EncodingSpec = None  # type: ignore[assignment]

    def __init__(self, units: tuple[int, ...] = (3, 2), rows: int = 96, features: int = 4, seed: int = 0):
        generator = torch.Generator().manual_seed(seed)
        self.train_rows, self.rows = rows // 2, rows
        self.x = torch.randn(rows, 1, features, generator=generator)
        self.y, self.valid, self.rates = [], [], []
        for count in units:
            weights = torch.randn(features, count, generator=generator) * 0.5
            rate = (self.x @ weights).exp()  # (row, 1, unit)
            self.rates.append(rate)
            self.valid.append(torch.rand(rate.shape, generator=generator) > 0.1)
            self.y.append(torch.poisson(rate, generator=generator).masked_fill(~self.valid[-1], float("nan")))
        self.spec = EncodingSpec(
            tuple(self._session(index) for index in range(len(units))), window=8, score_every=8, warmup=0
        )

    def _session(self, index: int) -> SessionSpec:
        train = self.y[index][: self.train_rows]
        mean_rate = tuple(train.nanmean(dim=(0, 1)).tolist())
        return SessionSpec(f"session_{index}", 8, 8, len(mean_rate), 0, 60.0, mean_rate)

    def batch(self, rows: Tensor) -> ToyBatch:
        targets = tuple(
            Target(session, y[rows], valid[rows])
            for session, (y, valid) in enumerate(zip(self.y, self.valid, strict=True))
        )
        return ToyBatch(tuple(self.x[rows] for _ in targets), targets)

    def train(self, *, seed: int, batch_size: int) -> ToyStream:
        return ToyStream(self, seed, batch_size)

    def sweep(self, split: str, *, batch_size: int) -> Iterator[ToyBatch]:
        middle = (self.train_rows + self.rows) // 2
        low, high = (self.train_rows, middle) if split == "validation" else (middle, self.rows)
        for start in range(low, high, batch_size):
            yield self.batch(torch.arange(start, min(start + batch_size, high)))

    def scored_hash(self, split: str) -> str:
        return f"toy-{split}"

    def to(self, device: torch.device) -> "ToyDataset":
        return self


class ToyModel(Model):
    """A small network with all that the loop must cope with: dropout, batch statistics, a frozen part, a penalty."""

    def __init__(self, spec: EncodingSpec, features: int = 4, width: int = 8, dropout: float = 0.2):
        super().__init__()
        self.frozen = nn.Linear(features, features)
        self.frozen.requires_grad_(False)
        self.hidden = nn.Linear(features, width)
        self.norm = nn.BatchNorm1d(width)
        self.dropout = nn.Dropout(dropout)
        self.heads = nn.ModuleList(nn.Linear(width, session.units) for session in spec.sessions)
        self.place = no_decay(nn.Parameter(torch.randn(width, 2)))
        self.fractions: list[float] = []

    def forward(self, batch: ToyBatch) -> tuple[Tensor, ...]:
        return tuple(self._rates(x, head) for x, head in zip(batch.inputs, self.heads, strict=True))

    def _rates(self, x: Tensor, head: nn.Module) -> Tensor:
        hidden = self.norm(self.hidden(x + 0.1 * self.frozen(x)).squeeze(1))
        hidden = self.dropout(torch.tanh(hidden * self.place.sum(dim=1)))
        return head(hidden).unsqueeze(1)

    def penalty(self) -> Tensor:
        return 1e-3 * self.place.abs().sum()

    def progress(self, fraction: float) -> None:
        self.fractions.append(fraction)


def small_config(**changes: Any) -> TrainingConfig:
    """A run of a second: 24 steps, four evaluations."""
    settings: dict[str, Any] = {
        "steps": 24,
        "batch_size": 8,
        "learning_rate": 1e-2,
        "warmup_steps": 4,
        "evaluate_every": 6,
        "ema": 0.9,
    }
    return TrainingConfig(**(settings | changes))


def train_toy(config: TrainingConfig, *, seed: int = 0, dataset: ToyDataset | None = None, **options: Any) -> Any:
    """Builds and fits the toy model, as a study does: initial weights from their own stream."""
    dataset = dataset or ToyDataset()
    with seeded(stream_seed(seed, "init", config.reseed)):
        model = ToyModel(dataset.spec)
    return fit(model, dataset, config, seed=seed, device=CPU, **options)


def bits(model: nn.Module) -> dict[str, bytes]:
    """Every tensor of a model as bytes: equal only if equal to the last bit."""
    return {name: value.detach().numpy().tobytes() for name, value in model.state_dict().items()}


def fusion_spec(prior: tuple[float, ...] = (0.5, 0.5), subjects: tuple[str, ...] = ("s1", "s2")) -> FusionSpec:
    return FusionSpec(subjects, 1, 1, (4,), 2, 8, len(prior), prior, "interval")


def rates_spec(*mean_rates: tuple[float, ...]) -> EncodingSpec:
    """A spec of sessions with the given training rates."""
    base = ToyDataset(units=(1,), rows=4).spec
    sessions = tuple(
        replace(base.sessions[0], name=f"session_{index}", units=len(rates), mean_rate=rates)
        for index, rates in enumerate(mean_rates)
    )
    return replace(base, sessions=sessions)


def assert_same_score(score: Any, expected: Any) -> None:
    """Equal up to the order of double-precision sums."""
    for mine, theirs in zip((score, *score.sessions), (expected, *expected.sessions), strict=True):
        for name, value in mine.model_dump(exclude={"sessions"}).items():
            other = theirs.model_dump()[name]
            assert nearly(value, other), (name, value, other)


def nearly(value: Any, other: Any) -> bool:
    """Equal up to rounding, part by part."""
    if isinstance(value, dict):
        return value.keys() == other.keys() and all(nearly(value[key], other[key]) for key in value)
    if isinstance(value, tuple | list):
        return len(value) == len(other) and all(map(nearly, value, other))
    return value == other or (isinstance(value, float) and abs(value - other) <= 1e-11 * max(1, abs(other)))
