"""One row of the table: what a variant scored and gained, with its verdict, its cost and its breakdown."""

import json

from ablate.analysis.cells import Cell
from ablate.analysis.outcome import CostSummary, Gain, GapClosed, Prediction, VariantAnalysis
from ablate.analysis.row.breakdown import learning_curves, session_gains, unit_gains
from ablate.analysis.row.classes import classes_of
from ablate.analysis.row.cost import cost_summary, known_mean, model_cost
from ablate.analysis.row.expectation import score_costs, score_gain
from ablate.analysis.row.files import HistoryLoader
from ablate.analysis.row.numbers import numbers_of
from ablate.analysis.row.units import Breakdown
from ablate.analysis.row.verdict import judge
from ablate.analysis.statistics.gain import estimate
from ablate.analysis.statistics.time import block_scores


def make_row(
    cell: Cell,
    baseline: Cell,
    *,
    gain: Gain | None,
    gap: GapClosed,
    breakdown: Breakdown,
    history: HistoryLoader | None,
    planned: int,
    worth: float,
) -> VariantAnalysis:
    """The row without its rank."""
    entry = cell.entry
    cost = cost_summary(cell, baseline)
    verdict, note = judge(cell, gain, planned=planned, worth=worth)
    score = estimate(list(cell.scores.values()))
    tests = list(cell.scored.values())
    attainable = known_mean(test.attainable for test in tests)
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
        by_seed=tuple((cell.measured or cell.scores).items()),
        gain=gain,
        gap=gap,
        predictions=_predictions(cell, gain, cost),
        cost=cost,
        seeds_planned=planned,
        seeds_done=len(cell.scores),
        seeds_barred=cell.barred,
        weighted=known_mean(test.weighted for test in tests),
        pooled=known_mean(test.pooled for test in tests),
        validation=known_mean(run.validation.headline for run in cell.records.values() if run.validation and run.test),
        accuracy=known_mean(test.accuracy for test in tests),
        balanced_accuracy=known_mean(test.balanced_accuracy for test in tests),
        classes=classes_of(cell),
        numbers=numbers_of(cell),
        ceiling_share=score.mean / attainable if score is not None and attainable else None,
        excluded=max((sum(session.excluded for session in test.sessions) for test in tests), default=0),
        sessions=session_gains(cell, baseline, breakdown.units),
        units=unit_gains(breakdown.units),
        times=() if score is None else block_scores(score.mean, breakdown.own),
        curves=learning_curves(cell, history),
        differences=tuple(
            (path, _value_text(pair[0]), _value_text(pair[1])) for path, pair in sorted(entry.differences.items())
        ),
        lints=model.lints if (model := model_cost(cell)) else (),
        keys=tuple((seed, run.key) for seed, run in sorted(cell.records.items())),
        given_spikes=own if (own := _given_spikes(cell)) != _given_spikes(baseline) else 0,
    )


def _given_spikes(cell: Cell) -> int:
    model = model_cost(cell)
    return model.reads_spikes if model else 0


def _predictions(cell: Cell, gain: Gain | None, cost: CostSummary) -> tuple[Prediction, ...]:
    expected = score_gain(cell.entry.expect, None if cell.refused else gain)
    costs = score_costs(cell.entry.expect_cost, cost)
    return costs if expected is None else (expected, *costs)


def _value_text(value: object) -> str:
    """A configuration value as YAML would read it back."""
    return value if isinstance(value, str) else json.dumps(value, default=str)
