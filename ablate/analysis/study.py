"""A study's plan and its run records in, a `StudyAnalysis` out: the flow of the analysis on one page.

records -> cells (variant x seed) -> gains paired by seed -> p values of the family -> verdicts -> ranking -> sentences

A pure function of what it is given: the same records in any order give the same analysis.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from statistics import median
from typing import Any

import numpy as np

from ablate.analysis.attribution import attribute
from ablate.analysis.cells import Cell, Cells, common_hash, gather
from ablate.analysis.efficiency import efficiency_curves
from ablate.analysis.headline import answer, next_steps, notes
from ablate.analysis.outcome import Estimate, Gain, GapClosed, Interval, StudyAnalysis
from ablate.analysis.rows import make_row
from ablate.analysis.statistics.family import MAX_T_SEEDS, holm, holm_factors, max_t
from ablate.analysis.statistics.gain import difference, estimate, gains
from ablate.analysis.statistics.gap import gap_closed
from ablate.analysis.statistics.noise import (
    detectable_gains,
    pairing,
    seeds_needed,
    smallest_detectable_gain,
    unpaired_spread,
)
from ablate.analysis.statistics.units import Units, UnitTable, paired_units, read_units, unit_intervals
from ablate.analysis.verdict import at_chance, rank, winner
from ablate.analysis.words import unit_of
from ablate.result.manifest import StudyManifest
from ablate.result.record import RunRecord

UnitsLoader = Callable[[str], Any]
"""Run key -> content of `units.json`, or None where it is missing."""
HistoryLoader = Callable[[str], Sequence[Mapping[str, Any]] | None]
"""Run key -> lines of `history.jsonl`, or None where it is missing."""


def analyse(
    manifest: StudyManifest,
    records: Iterable[RunRecord],
    *,
    units: UnitsLoader | None = None,
    history: HistoryLoader | None = None,
) -> StudyAnalysis:
    """Everything that a report shows. Raises AblateError when the plan has no baseline.

    Without `units` the second interval and the per-unit breakdown are None and empty; without `history` so are the
    curves.
    """
    cells = gather(manifest, records)
    baseline = cells.baseline
    base_score = estimate(list(baseline.scores.values()))
    chance = at_chance(base_score)
    target = _target(cells)

    found = _gains(cells, relative=not chance)
    found, family = _adjusted(cells, found)
    tables = _unit_tables(cells, units)
    found = _with_unit_intervals(cells, found, tables, relative=not chance)

    gaps = [_gap(cell, baseline, target) for cell in cells.cells]
    made = [
        make_row(cell, baseline, gain=gain, gap=gap, table=table, history=history, planned=len(manifest.seeds))
        for cell, gain, gap, table in zip(cells.cells, found, gaps, tables, strict=True)
    ]
    rows = tuple(replace(made[index], rank=position) for position, index in rank(made))
    attribution = attribute(cells.cells, baseline, target, manifest.ladders, relative=not chance)
    curves = efficiency_curves(cells.cells, relative=not chance)
    detectable, basis = _detectable(cells, found, base_score, len(manifest.seeds), len(family))

    first = next(iter(baseline.scored.values()), None)
    analysis = StudyAnalysis(
        name=manifest.name,
        question=manifest.question,
        expectation=manifest.expectation,
        metric=manifest.metric,
        unit=unit_of(manifest.metric),
        rehearsal=manifest.rehearsal or any(run.rehearsal for cell in cells.cells for run in cell.records.values()),
        data_description=manifest.data_description,
        seeds=manifest.seeds,
        rows=rows,
        baseline_name=baseline.entry.name,
        target=None if target is None else target.entry.name,
        winner=winner(rows, chance=chance),
        headline="",
        answer="",
        next_steps=(),
        notes=(),
        failures=cells.failures,
        family=family,
        attainable=None if first is None else first.attainable,
        attainable_accuracy=None if first is None else first.attainable_accuracy,
        baseline_at_chance=chance,
        detectable=detectable,
        detectable_relative=None
        if detectable is None or chance or base_score is None
        else detectable / base_score.mean,
        detectable_basis=basis,
        runs_planned=len(cells.cells) * len(manifest.seeds),
        runs_done=sum(len(cell.scored) for cell in cells.cells),
        runs_failed=sum(cell.barred for cell in cells.cells),
        attribution=attribution,
        efficiency=curves,
        expectations_hash=manifest.expectations_hash,
        expectation_changes=manifest.expectation_changes,
        recipe_path=manifest.recipe_path,
        recipe_text=manifest.recipe_text,
        data_fingerprint=manifest.data_fingerprint,
        scored_hash=common_hash(baseline),
        environment=tuple(_flat(manifest.environment)),
    )
    return _told(analysis, cells)


def _told(analysis: StudyAnalysis, cells: Cells) -> StudyAnalysis:
    """Adds the sentences, which are made of everything else."""
    said = answer(analysis)
    mixed = len({score.scored_hash for score in cells.baseline.scored.values()}) > 1
    lines = notes(analysis, mixed=mixed, outside=cells.outside)
    question = " ".join(analysis.question.split())
    return replace(
        analysis, answer=said, headline=f"{question} {said}".strip(), notes=lines, next_steps=next_steps(analysis)
    )


# ------------------------------------------------------------------ gains


def _comparable(cell: Cell) -> bool:
    return cell.entry.role != "baseline" and not cell.refused


def _gains(cells: Cells, *, relative: bool) -> list[Gain | None]:
    """Paired gain of each cell, with the pairing that was achieved; None for the baseline and for refused cells."""
    members = [index for index, cell in enumerate(cells.cells) if _comparable(cell)]
    base = cells.baseline.scores
    found: list[Gain | None] = [None] * len(cells.cells)
    contrasts = [difference(cells.cells[index].scores, base) for index in members]
    for index, gain in zip(members, gains(contrasts, relative=relative), strict=True):
        if gain is not None:
            scores = cells.cells[index].scores
            correlation, saved = pairing([scores[seed] for seed in gain.seeds], [base[seed] for seed in gain.seeds])
            found[index] = replace(gain, correlation=correlation, variance_ratio=saved)
    return found


def _adjusted(cells: Cells, found: list[Gain | None]) -> tuple[list[Gain | None], tuple[str, ...]]:
    """Holm and max-T over the family (the patches), controls judged as one patch more; seeds needed, smallest gain."""
    tested = [index for index, gain in enumerate(found) if gain is not None and gain.p is not None]
    family = [index for index in tested if cells.cells[index].entry.role == "variant"]
    p = np.array([_p(found[index]) for index in family])
    adjusted = dict(zip(family, zip(holm(p).tolist(), holm_factors(p).tolist(), strict=True), strict=True))
    for index in tested:
        if cells.cells[index].entry.role == "control":
            joined = np.append(p, _p(found[index]))
            adjusted[index] = (float(holm(joined)[-1]), float(holm_factors(joined)[-1]))
    flipped = _flipped(found, family)
    judged = [(gain, adjusted.get(index, (None, 1.0))[1]) for index in tested if (gain := found[index]) is not None]
    needed, detectable = _needed(judged)
    result = list(found)
    for place, index in enumerate(tested):
        result[index] = replace(
            judged[place][0],
            p_holm=adjusted.get(index, (None, 1.0))[0],
            p_max_t=flipped.get(index),
            seeds_needed=needed[place] if index in adjusted else None,
            detectable=detectable[place],
        )
    return result, tuple(cells.cells[index].entry.name for index in family)


def _p(gain: Gain | None) -> float:
    return 1.0 if gain is None or gain.p is None else gain.p


def _needed(judged: Sequence[tuple[Gain, float]]) -> tuple[list[int | None], list[float]]:
    """Seeds needed and smallest detectable gain of each, at the level that Holm asks of its place."""
    factors = [factor for _, factor in judged]
    spreads = [gain.spread or 0.0 for gain, _ in judged]
    needed = seeds_needed([gain.mean for gain, _ in judged], spreads, factors)
    return needed, detectable_gains(spreads, [len(gain.seeds) for gain, _ in judged], factors)


def _flipped(found: Sequence[Gain | None], family: Sequence[int]) -> dict[int, float]:
    """max-T over the members that share the most seeds, from eight seeds on."""
    members = {index: gain for index in family if (gain := found[index]) is not None and len(gain.seeds) >= MAX_T_SEEDS}
    if not members:
        return {}
    seeds = max((gain.seeds for gain in members.values()), key=lambda held: (len(held), held))
    complete = [index for index, gain in members.items() if gain.seeds == seeds]
    table = np.array([members[index].by_seed for index in complete])
    return dict(zip(complete, max_t(table).tolist(), strict=True))


# ------------------------------------------------------------------ references, units, noise


def _target(cells: Cells) -> Cell | None:
    """The reference with the highest mean score, if it is above the baseline. The GLM is a floor, never a target."""

    def mean(cell: Cell) -> float:
        return sum(cell.scores.values()) / len(cell.scores)

    references = [cell for cell in cells.cells if cell.entry.role == "reference" and not _is_floor(cell)]
    usable = [cell for cell in references if cell.scores and not cell.refused]
    best = max(usable, key=mean, default=None)
    baseline = cells.baseline
    if best is None or not baseline.scores:
        return best
    return best if mean(best) > mean(baseline) else None


def _is_floor(cell: Cell) -> bool:
    """Whether a reference is the lagged GLM that every encoding study shows from below."""
    return cell.entry.differences.get("baseline.type", (None, None))[1] == "glm"


def _gap(cell: Cell, baseline: Cell, target: Cell | None) -> GapClosed:
    if target is None or cell.entry.role == "baseline" or cell.refused or not cell.scores:
        return GapClosed()
    if cell is target:
        return GapClosed(blank="the reference itself")
    if cell.entry.role == "reference":
        return GapClosed(blank="a reference")
    return gap_closed(cell.scores, baseline.scores, target.scores)


def _unit_tables(cells: Cells, load: UnitsLoader | None) -> list[UnitTable | None]:
    """Seed-averaged per-unit scores of each comparable cell beside the baseline's; each run's file is read once."""
    if load is None:
        return [None] * len(cells.cells)
    read: dict[str, Units | None] = {}

    def units_of(cell: Cell, seed: int) -> Units | None:
        key = cell.records[seed].key
        if key not in read:
            read[key] = read_units(load(key))
        return read[key]

    tables: list[UnitTable | None] = []
    for cell in cells.cells:
        if not _comparable(cell):
            tables.append(None)
            continue
        seeds = [seed for seed in cell.scores if seed in cells.baseline.scores]
        pairs = [(units_of(cells.baseline, seed), units_of(cell, seed)) for seed in seeds]
        tables.append(paired_units([(base, own) for base, own in pairs if base is not None and own is not None]))
    return tables


def _with_unit_intervals(
    cells: Cells, found: Sequence[Gain | None], tables: Sequence[UnitTable | None], *, relative: bool
) -> list[Gain | None]:
    result: list[Gain | None] = []
    for gain, interval in zip(found, unit_intervals(tables), strict=True):
        if gain is None or interval is None:
            result.append(gain)
            continue
        base = float(np.mean([cells.baseline.scores[seed] for seed in gain.seeds]))
        scaled = Interval(interval.low / base, interval.high / base) if relative and base > 0 else None
        result.append(replace(gain, over_units=interval, over_units_relative=scaled))
    return result


def _detectable(
    cells: Cells, found: Sequence[Gain | None], base: Estimate | None, seeds: int, family: int
) -> tuple[float | None, str]:
    """Smallest gain that the planned seeds find with 80 % power if it is the only real one of the family."""
    spreads = [
        gain.spread
        for cell, gain in zip(cells.cells, found, strict=True)
        if cell.entry.role == "variant" and gain is not None and gain.spread is not None
    ]
    basis = "the median spread of the patches' paired differences"
    spread = median(spreads) if spreads else None
    if spread is None:
        spread = unpaired_spread(list(cells.baseline.scores.values()))
        basis = "the baseline's spread over seeds, as if pairing did nothing"
    planned = family or sum(1 for cell in cells.cells if cell.entry.role == "variant")
    if spread is None or base is None:
        return None, ""
    found_gain = smallest_detectable_gain(spread, seeds, patches=planned)
    return (None, "") if found_gain is None else (found_gain, basis)


def _flat(values: Mapping[str, Any], head: str = "") -> Iterable[tuple[str, str]]:
    """Nested mapping -> (dotted name, text), sorted."""
    for name, value in sorted(values.items()):
        if isinstance(value, Mapping):
            yield from _flat(value, f"{head}{name}.")
        else:
            yield f"{head}{name}", ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
