"""Planted studies: a manifest and run records made of chosen scores, for tests of the analysis and of the report."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ablate.result.manifest import StudyManifest, VariantEntry
from ablate.result.record import ModelCost, RunRecord, Score, SessionScore, Tokens, Usage

BASELINE = "baseline"


def score(
    value: float,
    *,
    metric: Any = "bits_per_spike",
    sessions: Mapping[str, float] | None = None,
    scored_hash: str = "bins",
    attainable: float | None = 0.8,
    accuracy: float | None = None,
) -> Score:
    """A score whose sessions all have the headline's value unless told otherwise."""
    parts = sessions or {"monkey": value}
    return Score(
        metric=metric,
        headline=value,
        weighted=value,
        pooled=value,
        sessions=tuple(
            SessionScore(
                name=name, entries=16, excluded=1, mean=mean, pooled=mean, weight=1000.0, attainable=attainable
            )
            for name, mean in parts.items()
        ),
        scored_hash=scored_hash,
        attainable=attainable,
        accuracy=accuracy,
        balanced_accuracy=accuracy,
        attainable_accuracy=None if accuracy is None else 0.93,
    )


def cost(parameters: int, flops: int) -> ModelCost:
    return ModelCost(
        parts={"frontend": 64, "core": parameters - 64},
        total_parameters=parameters,
        trainable_parameters=parameters,
        flops={"frontend": flops // 10, "core": flops - flops // 10},
        shapes={"frontend": (4, 32, 24, 24), "core": (64, 4, 6, 6)},
        tokens=Tokens(time=4, space=(6, 6)),
    )


@dataclass
class Planted:
    """Scores by variant and seed; everything else has a default that can be overridden by name of the variant.

    A score of None is a diverged run; a missing seed is a run that is still to come.
    """

    scores: dict[str, Mapping[int, float | None]]
    roles: dict[str, str] = field(default_factory=dict)
    entries: dict[str, dict[str, Any]] = field(default_factory=dict)
    hashes: dict[str, str] = field(default_factory=dict)
    sessions: dict[str, Mapping[int, Mapping[str, float]]] = field(default_factory=dict)
    seeds: Sequence[int] = (0, 1, 2)
    metric: str = "bits_per_spike"
    accuracy: float | None = None
    attainable: float | None = 0.8
    manifest_fields: dict[str, Any] = field(default_factory=dict)

    def manifest(self) -> StudyManifest:
        fields: dict[str, Any] = {
            "name": "planted",
            "question": "Which patch helps?",
            "data_description": "synthetic_v1, 2 sessions, 32 units",
            "metric": self.metric,
            "seeds": tuple(self.seeds),
            "variants": tuple(self.entry(name) for name in self.scores),
        }
        return StudyManifest(**{**fields, **self.manifest_fields})

    def entry(self, name: str) -> VariantEntry:
        role = self.roles.get(name, "baseline" if name == BASELINE else "variant")
        fields: dict[str, Any] = {
            "name": name,
            "role": role,
            "patches": tuple(name.split("+")) if role == "variant" else (),
            "changes": f"{name} changed" if role == "variant" else "",
            "keys": {seed: self.key(name, seed) for seed in self.seeds},
            "cost": cost(1_000_000, 2_000_000_000) if role == "baseline" else cost(1_500_000, 5_000_000_000),
        }
        return VariantEntry(**{**fields, **self.entries.get(name, {})})

    @staticmethod
    def key(name: str, seed: int) -> str:
        return f"{name}-{seed}"

    def records(self) -> tuple[RunRecord, ...]:
        return tuple(
            self.record(name, seed, value) for name, runs in self.scores.items() for seed, value in runs.items()
        )

    def record(self, name: str, seed: int, value: float | None) -> RunRecord:
        test = None
        if value is not None:
            test = score(
                value,
                metric=self.metric,
                sessions=self.sessions.get(name, {}).get(seed),
                scored_hash=self.hashes.get(name, "bins"),
                attainable=self.attainable,
                accuracy=self.accuracy,
            )
        return RunRecord(
            key=self.key(name, seed),
            study="planted",
            variant=name,
            seed=seed,
            state="diverged" if test is None else "done",
            reason="loss was not finite at step 17" if test is None else "",
            config={},
            test=test,
            validation=test,
            usage=Usage(
                seconds=60.0, steps=100, best_step=80, step_milliseconds=500.0, peak_memory_bytes=1_200_000_000
            ),
        )


def around(mean: float, spread: float, *, seeds: int = 3, salt: int = 0) -> dict[int, float]:
    """Scores by seed that scatter about a mean by a fixed pattern of exactly this standard deviation."""
    noise = np.random.default_rng(salt).standard_normal(seeds)
    if seeds > 1:
        noise = (noise - noise.mean()) / noise.std(ddof=1)
    return {seed: float(mean + spread * noise[seed]) for seed in range(seeds)}


def shifted(scores: Mapping[int, float], by: float, spread: float = 0.001, *, salt: int = 1) -> dict[int, float]:
    """Another variant's scores: those of the first plus a gain that scatters about `by`."""
    noise = around(by, spread, seeds=len(scores), salt=salt)
    return {seed: value + noise[index] for index, (seed, value) in enumerate(sorted(scores.items()))}


def typical(**changes: Any) -> Planted:
    """One patch of each verdict, a combination, a control, two references and a diverged seed; three seeds."""
    base = around(0.400, 0.010)
    scores: dict[str, Mapping[int, float | None]] = {
        BASELINE: base,
        "tokens": shifted(base, 0.020, salt=2),
        "blur": shifted(base, 0.001, 0.008, salt=3),
        "slow": shifted(base, -0.030, salt=4),
        "tokens+blur": shifted(base, 0.024, salt=5),
        "wide": {**shifted(base, 0.022, salt=6), 1: None},
        "reseed": shifted(base, 0.0005, 0.006, salt=7),
        "resnet": shifted(base, 0.040, 0.002, salt=8),
        "glm": shifted(base, -0.200, 0.002, salt=9),
    }
    planted = Planted(
        scores,
        roles={"reseed": "control", "resnet": "reference", "glm": "reference"},
        entries={
            "tokens": {"expect": (0.03, 0.06), "also_changed": ("tokenizer -4.23 M weights", "36 -> 144 tokens")},
            "slow": {"expect": (0.01, 0.02)},
        },
        manifest_fields={"ladders": (("tokens", "tokens+blur"),)},
    )
    for name, value in changes.items():
        setattr(planted, name, value)
    return planted
