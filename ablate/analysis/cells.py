"""Which run belongs to which cell (variant, seed) of the manifest, and which cells may be compared.

A run counts when it is `done` and its score is finite. A variant's run is compared with the baseline's run of the
same seed, and only if both were scored on the identical set of (session, bin, unit) entries: `scored_hash` is equal.
"""

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from ablate.analysis.folds import run_of_folds, scores_by_fold
from ablate.analysis.outcome import Failure
from ablate.errors import AblateError
from ablate.result.manifest import StudyManifest, VariantEntry
from ablate.result.record import RunRecord, Score

BARRING = ("failed", "diverged")


@dataclass(frozen=True)
class Cell:
    """One variant: its runs by seed, and its scores by seed where they count."""

    entry: VariantEntry
    records: Mapping[int, RunRecord]
    scored: Mapping[int, Score]
    refused: str = ""
    """Why it cannot be compared with the baseline; empty if it can."""
    scores: Mapping[int, float] = field(default_factory=dict)
    sign: float = 1.0
    """-1 where a lower score is better: it turns a difference of scores into a gain."""
    measured: Mapping[int, float] = field(default_factory=dict)
    """With a cross-validation the scores by fold as they were measured; `scores` are then by fold too, and
    corrected for what folds share (`folds.py`)."""

    replicate: str = "seed"
    """What `scores` are by: `seed`, or the `subject` or `fold` of a cross-validation."""

    @property
    def comparable(self) -> bool:
        """Whether a gain over the baseline may be asked for."""
        return self.entry.role != "baseline" and not self.refused

    @property
    def barred(self) -> int:
        """Seeds that diverged or failed: they stay in the verdict."""
        return sum(1 for seed, record in self.records.items() if seed not in self.scored and _failed(record))


@dataclass(frozen=True)
class Cells:
    """All variants in the manifest's order."""

    baseline: Cell
    cells: tuple[Cell, ...]
    failures: tuple[Failure, ...]
    outside: int
    """Records that are in the folder but no longer in the manifest."""


def gather(manifest: StudyManifest, records: Iterable[RunRecord]) -> Cells:
    """Sorts the records into the manifest. Raises AblateError when the manifest has no baseline."""
    by_key: dict[str, RunRecord] = {}
    by_name: dict[tuple[str, int], RunRecord] = {}
    for record in records:
        held = by_key.get(record.key)
        if held is None or (record.finished, record.started) >= (held.finished, held.started):
            by_key[record.key] = record
    for record in sorted(by_key.values(), key=lambda record: (record.finished, record.key)):
        by_name[record.variant, record.seed] = record
    used: set[str] = set()
    by_fold: dict[str, dict[int, list[RunRecord]]] = {entry.name: {} for entry in manifest.variants}
    found: list[Cell] = []
    for entry in manifest.variants:
        runs: dict[int, RunRecord] = {}
        for seed in manifest.seeds:
            if entry.folds:
                folds = [by_key.get(key) for key in entry.folds.get(seed, ())]
                used |= {run.key for run in folds if run is not None}
                if (whole := run_of_folds(folds)) is not None:
                    runs[seed] = whole
                    by_fold.setdefault(entry.name, {})[seed] = [run for run in folds if run is not None]
                continue
            held = by_key.get(entry.keys.get(seed, "")) if entry.keys else by_name.get((entry.name, seed))
            if held is not None:
                runs[seed] = held
                used.add(held.key)
        scored = {seed: record.test for seed, record in runs.items() if _counts(record) and record.test is not None}
        found.append(Cell(entry, runs, scored, sign=-1.0 if manifest.lower_is_better else 1.0))
    baseline = next((cell for cell in found if cell.entry.role == "baseline"), None)
    if baseline is None:
        raise AblateError(
            "the manifest names no baseline, so nothing can be compared",
            where=manifest.name,
            hint="run the study again",
        )
    cells = tuple(_compared(cell, baseline) for cell in found)
    if manifest.cross_validation is not None:
        whole_runs = {cell.entry.name: {seed: by_fold[cell.entry.name][seed] for seed in cell.scored} for cell in cells}
        scores = scores_by_fold(whole_runs, baseline.entry.name, manifest.cross_validation)
        over = manifest.cross_validation.over
        cells = tuple(replace(cell, replicate=over, **scores[cell.entry.name]._asdict()) for cell in cells)
    return Cells(
        baseline=next(cell for cell in cells if cell.entry.role == "baseline"),
        cells=cells,
        failures=tuple(failure for cell in cells for failure in _failures(cell)),
        outside=len(by_key.keys() - used - manifest.run_keys),
    )


def common_hash(baseline: Cell) -> str:
    """The set that most of the baseline's runs were scored on."""
    counts = Counter(score.scored_hash for _, score in sorted(baseline.scored.items()))
    return counts.most_common(1)[0][0] if counts else ""


def _counts(record: RunRecord) -> bool:
    return record.state == "done" and record.test is not None and math.isfinite(record.test.headline)


def _failed(record: RunRecord) -> bool:
    """Failed, diverged, or called done with a score that is missing."""
    return record.state in BARRING or (record.state == "done" and not _counts(record))


def _compared(cell: Cell, baseline: Cell) -> Cell:
    """Adds the scores by seed, or the reason why they must not be compared."""
    scores = {seed: score.headline for seed, score in sorted(cell.scored.items())}
    shared = [seed for seed in scores if seed in baseline.scored]
    other = [seed for seed in shared if cell.scored[seed].scored_hash != baseline.scored[seed].scored_hash]
    metric = any(cell.scored[seed].metric != baseline.scored[seed].metric for seed in shared)
    refused = ""
    if metric:
        refused = "scored by another metric than the baseline"
    elif other:
        refused = f"scored on other bins than the baseline ({_seeds(other)})"
    elif not scores and cell.barred and cell.barred == len(cell.records):
        refused = "no finite seed"
    return Cell(cell.entry, cell.records, cell.scored, refused, scores, cell.sign)


def _seeds(seeds: list[int]) -> str:
    return ("seed " if len(seeds) == 1 else "seeds ") + ", ".join(str(seed) for seed in seeds)


def _failures(cell: Cell) -> Iterable[Failure]:
    for seed, record in sorted(cell.records.items()):
        if seed in cell.scored:
            continue
        state = "failed" if record.state == "done" else record.state
        reason = record.reason or ("no finite score" if record.state == "done" else "no reason recorded")
        yield Failure(cell.entry.name, seed, state, reason)
