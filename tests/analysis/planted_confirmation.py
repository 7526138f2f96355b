"""A planted study some of whose rows were tried on fresh seeds."""

from collections.abc import Mapping
from typing import Any

from planted import BASELINE, Planted, around, shifted

from ablate.result.manifest import Confirmation, StudyManifest
from ablate.result.record import RunRecord

BASE = around(0.4, 0.01)
CHOSEN = {
    BASELINE: BASE,
    "lucky": shifted(BASE, 0.05, 0.003, salt=2),
    "real": shifted(BASE, 0.04, 0.003, salt=3),
    "worse": shifted(BASE, -0.05, 0.003, salt=4),
    "slight": shifted(BASE, -0.014, 0.003, salt=6),
    "unclear": shifted(BASE, 0.01, 0.02, salt=5),
}
FRESH = (10, 11, 12, 13, 14)


def fresh(by: float | None, spread: float = 0.003, *, salt: int = 1, seeds=FRESH) -> dict[int, float]:
    """Scores on fresh seeds: the baseline's (by: None) or another row's."""
    base = around(0.4, 0.01, seeds=len(seeds), salt=99)
    scores = base if by is None else shifted(base, by, spread, salt=salt)
    return dict(zip(seeds, scores.values(), strict=True))


def planted_confirmation(
    tried: Mapping[str, Mapping[int, float | None]], *, gone: tuple[str, ...] = (), **more: Any
) -> tuple[StudyManifest, tuple[RunRecord, ...]]:
    """Manifest and records of `CHOSEN` with fresh scores: name -> scores by fresh seed, all rows tried together. gone:
    keys of runs that have not ended."""
    rows = tuple(name for name in tried if name != BASELINE)
    seeds = tuple(next(iter(tried.values())))
    keys = {name: {seed: Planted.key(name, seed) for seed in seeds} for name in (BASELINE, *rows)}
    plan = Confirmation(seeds=seeds, rows=rows, keys=keys)
    planted = Planted(dict(CHOSEN), manifest_fields={"confirmations": (plan,)}, **more)
    held = [planted.record(name, seed, value) for name, runs in tried.items() for seed, value in runs.items()]
    return planted.manifest(), (*planted.records(), *(record for record in held if record.key not in gone))
