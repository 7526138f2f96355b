"""Which runs a manifest plans, each once, and which of them are still to be heard of."""

from dataclasses import dataclass

from ablate.result.manifest import StudyManifest


@dataclass(frozen=True)
class PlannedRun:
    """One run. stage: study, retuning or confirmation; a run of two stages is told of the first."""

    key: str
    variant: str
    stage: str
    seed: int


def planned_runs(manifest: StudyManifest) -> tuple[PlannedRun, ...]:
    """In the order of the stages, the variants and the seeds."""
    stages = [
        ("study", entry.name, keys) for entry in manifest.variants for keys in (entry.keys, *_by_fold(entry.folds))
    ]
    if manifest.retuning is not None:
        stages += [("retuning", name, keys) for name, held in manifest.retuning.keys.items() for keys in held]
    stages += [("confirmation", name, keys) for one in manifest.confirmations for name, keys in one.keys.items()]
    planned: dict[str, PlannedRun] = {}
    for stage, name, keys in stages:
        for seed, key in keys.items():
            planned.setdefault(key, PlannedRun(key, name, stage, seed))
    return tuple(planned.values())


def _by_fold(folds: dict[int, tuple[str, ...]]) -> list[dict[int, str]]:
    """Seed -> key of each fold."""
    return [dict(zip(folds, keys, strict=True)) for keys in zip(*folds.values(), strict=True)]
