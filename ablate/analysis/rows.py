"""One row of the table: what a variant scored, gained and cost, per session, per unit and over training."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from ablate.analysis.cells import Cell
from ablate.analysis.expectation import score_costs, score_gain
from ablate.analysis.outcome import (
    CostSummary,
    Gain,
    GapClosed,
    Interval,
    LearningCurve,
    Prediction,
    SessionGain,
    UnitGain,
    VariantAnalysis,
)
from ablate.analysis.statistics.gain import estimate, paired_t
from ablate.analysis.statistics.units import UnitTable
from ablate.analysis.verdict import judge
from ablate.result.record import ModelCost, Score

HistoryLoader = Callable[[str], Sequence[Mapping[str, Any]] | None]


def make_row(
    cell: Cell,
    baseline: Cell,
    *,
    gain: Gain | None,
    gap: GapClosed,
    table: UnitTable | None,
    history: HistoryLoader | None,
    planned: int,
) -> VariantAnalysis:
    """The row without its rank."""
    entry = cell.entry
    cost = _cost(cell, baseline)
    verdict, note = judge(cell, gain, planned=planned)
    score = estimate(list(cell.scores.values()))
    tests = list(cell.scored.values())
    attainable = _mean(test.attainable for test in tests)
    return VariantAnalysis(
        name=entry.name,
        role=entry.role,
        title=entry.title,
        changes=entry.changes,
        also_changed=entry.also_changed,
        patches=entry.patches,
        aliases=entry.aliases,
        strategies=entry.strategies,
        verdict=verdict,
        verdict_note=note,
        rank=None,
        score=score,
        by_seed=tuple(cell.scores.items()),
        gain=gain,
        gap=gap,
        predictions=_predictions(cell, gain, cost),
        cost=cost,
        seeds_planned=planned,
        seeds_done=len(cell.scores),
        seeds_barred=cell.barred,
        weighted=_mean(test.weighted for test in tests),
        pooled=_mean(test.pooled for test in tests),
        validation=_mean(run.validation.headline for run in cell.records.values() if run.validation and run.test),
        accuracy=_mean(test.accuracy for test in tests),
        balanced_accuracy=_mean(test.balanced_accuracy for test in tests),
        ceiling_share=score.mean / attainable if score is not None and attainable else None,
        excluded=max((sum(session.excluded for session in test.sessions) for test in tests), default=0),
        sessions=_sessions(cell, baseline, table),
        units=_units(table),
        curves=_curves(cell, history),
        differences=tuple((path, _told(pair[0]), _told(pair[1])) for path, pair in sorted(entry.differences.items())),
        warnings=entry.warnings,
        lints=model.lints if (model := _model_cost(cell)) else (),
        keys=tuple((seed, run.key) for seed, run in sorted(cell.records.items())),
    )


def _predictions(cell: Cell, gain: Gain | None, cost: CostSummary) -> tuple[Prediction, ...]:
    expected = score_gain(cell.entry.expect, None if cell.refused else gain)
    costs = score_costs(cell.entry.expect_cost, cost)
    return costs if expected is None else (expected, *costs)


def _mean(values: Any) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None


def _told(value: Any) -> str:
    """A configuration value as YAML would read it back."""
    return value if isinstance(value, str) else json.dumps(value, default=str)


# ------------------------------------------------------------------ cost


def _model_cost(cell: Cell) -> ModelCost | None:
    """The plan's cost, or that of the first run that has one."""
    return cell.entry.cost or next((run.cost for _, run in sorted(cell.records.items()) if run.cost), None)


def _cost(cell: Cell, baseline: Cell) -> CostSummary:
    own, base = _model_cost(cell), _model_cost(baseline)
    usage = [run.usage for seed, run in cell.records.items() if run.usage and seed in cell.scored]
    base_usage = [run.usage for seed, run in baseline.records.items() if run.usage and seed in baseline.scored]
    seconds, base_seconds = (_mean(used.seconds for used in held) for held in (usage, base_usage))
    peak, base_peak = (max((used.peak_memory_bytes for used in held), default=None) for held in (usage, base_usage))
    return CostSummary(
        total_parameters=own.total_parameters if own else None,
        trainable_parameters=own.trainable_parameters if own else None,
        parameters_ratio=_ratio(own.total_parameters, base.total_parameters) if own and base else None,
        flops=own.total_flops if own else None,
        flops_ratio=_ratio(own.total_flops, base.total_flops) if own and base else None,
        seconds=seconds,
        seconds_ratio=_ratio(seconds, base_seconds),
        step_milliseconds=_mean(used.step_milliseconds for used in usage),
        peak_memory_bytes=peak,
        memory_ratio=_ratio(peak, base_peak),
        parts=tuple(own.parts.items()) if own else (),
        shapes=tuple(own.shapes.items()) if own else (),
        tokens_time=own.tokens.time if own and own.tokens else None,
        tokens_space=own.tokens.space if own and own.tokens else None,
        pixels_never_seen=own.pixels_never_seen if own else None,
    )


def _ratio(value: float | int | None, base: float | int | None) -> float | None:
    return value / base if value is not None and base else None


# ------------------------------------------------------------------ breakdown


def _sessions(cell: Cell, baseline: Cell, table: UnitTable | None) -> tuple[SessionGain, ...]:
    """Each session over the paired seeds; empty where the runs cannot be compared or list different sessions."""
    seeds = [seed for seed in cell.scored if seed in baseline.scored]
    if cell.refused or not seeds:
        return ()
    own, base = ([held.scored[seed] for seed in seeds] for held in (cell, baseline))
    names = [session.name for session in base[0].sessions]
    if not names or any([session.name for session in score.sessions] != names for score in (*own, *base)):
        return ()
    scores, before = _session_means(own), _session_means(base)  # n session
    differences = scores - before
    gains, baselines, means = (values.mean(axis=0).tolist() for values in (differences, before, scores))
    halves = paired_t(differences.T).half_width.tolist() if len(seeds) > 1 else None
    better = _better(table, names)
    return tuple(
        SessionGain(
            name=session.name,
            entries=session.entries,
            excluded=session.excluded,
            baseline=baselines[index],
            score=means[index],
            gain=gains[index],
            interval=None if halves is None else Interval(gains[index] - halves[index], gains[index] + halves[index]),
            attainable=session.attainable,
            better=better.get(session.name),
        )
        for index, session in enumerate(own[0].sessions)
    )


def _session_means(scores: Sequence[Score]) -> np.ndarray:
    return np.array([[session.mean for session in score.sessions] for score in scores])


def _better(table: UnitTable | None, names: Sequence[str]) -> dict[str, float]:
    """Share of each session's scored units that gained."""
    if table is None or list(table.names) != list(names):
        return {}
    found = {}
    for name, gain in zip(table.names, np.split(table.gain, np.cumsum(table.sizes)[:-1]), strict=True):
        known = gain[~np.isnan(gain)]
        if len(known):
            found[name] = float((known > 0).mean())
    return found


def _units(table: UnitTable | None) -> tuple[UnitGain, ...]:
    if table is None:
        return ()
    places = [(name, unit) for name, entry in zip(table.names, table.entries, strict=True) for unit in entry]
    return tuple(
        UnitGain(name, unit, base, score)
        for (name, unit), base, score in zip(places, table.baseline.tolist(), table.score.tolist(), strict=True)
        if base == base  # an excluded unit is NaN in both
    )


def _curves(cell: Cell, history: HistoryLoader | None) -> tuple[LearningCurve, ...]:
    """Validation score over steps of every run that kept a history."""
    if history is None:
        return ()
    found = []
    for seed, run in sorted(cell.records.items()):
        points = [point for line in history(run.key) or () if (point := _point(line)) is not None]
        if points:
            steps, values = zip(*points, strict=True)
            found.append(LearningCurve(cell.entry.name, seed, steps, values))
    return tuple(found)


def _point(line: Mapping[str, Any]) -> tuple[int, float] | None:
    """(step, validation score) of a line that has both."""
    step, value = line.get("step"), line.get("validation")
    if not isinstance(step, int) or not isinstance(value, int | float):
        return None
    return step, float(value)
