"""A row of the table as a flat record with stable names: what `--format json` and `--format csv` carry.

Gains (`gain`, `gain_low`, `gain_high`) are in the metric's unit; `gain_relative...` are shares of the baseline's mean
(0.05 = 5 %). Intervals are 95 %: `_low`, `_high` over seeds (t, Fieller), `gain_units_low`, `gain_units_high` over
units nested in sessions, `gain_time_low`, `gain_time_high` over blocks of the test's time.
"""

from dataclasses import asdict
from typing import Any

from ablate.analysis import Interval, StudyAnalysis, VariantAnalysis


def flat_row(row: VariantAnalysis) -> dict[str, Any]:
    """All figures of a row; None where one is not known."""
    return {**_identity(row), **_score(row), **_gain(row), **_expected(row), **_cost(row), **_seeds(row)}


def _ends(name: str, interval: Interval | None) -> dict[str, float | None]:
    return {
        f"{name}_low": None if interval is None else interval.low,
        f"{name}_high": None if interval is None else interval.high,
    }


def _identity(row: VariantAnalysis) -> dict[str, Any]:
    return {
        "rank": row.rank,
        "variant": row.name,
        "role": row.role,
        "verdict": row.verdict,
        "verdict_note": row.verdict_note,
        "title": row.title,
        "changes": row.changes,
        "also_changed": list(row.also_changed),
        "patches": list(row.patches),
        "aliases": list(row.aliases),
        "strategies": list(row.strategies),
    }


def _score(row: VariantAnalysis) -> dict[str, Any]:
    score = row.score
    return {
        "score": None if score is None else score.mean,
        **_ends("score", None if score is None else score.interval),
        "score_weighted": row.weighted,
        "score_pooled": row.pooled,
        "validation": row.validation,
        "accuracy": row.accuracy,
        "balanced_accuracy": row.balanced_accuracy,
        "ceiling_share": row.ceiling_share,
        "units_excluded": row.excluded,
    }


def _gain(row: VariantAnalysis) -> dict[str, Any]:
    gain = row.gain
    return {
        "gain": None if gain is None else gain.mean,
        **_ends("gain", None if gain is None else gain.interval),
        "gain_relative": None if gain is None else gain.relative,
        **_ends("gain_relative", None if gain is None else gain.relative_interval),
        **_ends("gain_units", None if gain is None else gain.over_units),
        **_ends("gain_time", None if gain is None else gain.over_time),
        "p": None if gain is None else gain.p,
        "p_holm": None if gain is None else gain.p_holm,
        "p_max_t": None if gain is None else gain.p_max_t,
        "pairing_correlation": None if gain is None else gain.correlation,
        "pairing_variance_ratio": None if gain is None else gain.variance_ratio,
        "seeds_needed": None if gain is None else gain.seeds_needed,
        "smallest_detectable_gain": None if gain is None else gain.detectable,
        "gap_closed": row.gap.share,
        **_ends("gap_closed", row.gap.interval),
        "gap_blank": row.gap.blank,
    }


def _expected(row: VariantAnalysis) -> dict[str, Any]:
    prediction = row.prediction
    return {
        "expected_low": None if prediction is None else prediction.expected[0],
        "expected_high": None if prediction is None else prediction.expected[1],
        "expectation": None if prediction is None else prediction.outcome,
    }


def _cost(row: VariantAnalysis) -> dict[str, Any]:
    cost = row.cost
    return {
        "total_parameters": cost.total_parameters,
        "trainable_parameters": cost.trainable_parameters,
        "parameters_ratio": cost.parameters_ratio,
        "flops": cost.flops,
        "flops_ratio": cost.flops_ratio,
        "seconds": cost.seconds,
        "seconds_ratio": cost.seconds_ratio,
        "step_milliseconds": cost.step_milliseconds,
        "peak_memory_bytes": cost.peak_memory_bytes,
        "memory_ratio": cost.memory_ratio,
    }


def _seeds(row: VariantAnalysis) -> dict[str, Any]:
    return {
        "seeds_done": row.seeds_done,
        "seeds_planned": row.seeds_planned,
        "seeds_barred": row.seeds_barred,
        "warnings": [*row.warnings, *row.lints],
    }


def nested_row(row: VariantAnalysis) -> dict[str, Any]:
    """The flat record and what does not fit into a table: scores by seed, sessions, parts, predictions, differences."""
    return {
        **flat_row(row),
        "score_by_seed": {str(seed): value for seed, value in row.by_seed},
        "gain_by_seed": {} if row.gain is None else dict(_by_seed(row)),
        "run_keys": {str(seed): key for seed, key in row.keys},
        "parts": dict(row.cost.parts),
        "tokens": {"time": row.cost.tokens_time, "space": row.cost.tokens_space},
        "pixels_never_seen": row.cost.pixels_never_seen,
        "predictions": [asdict(prediction) for prediction in row.predictions],
        "sessions": [asdict(session) for session in row.sessions],
        "differences": {path: [before, after] for path, before, after in row.differences},
    }


def _by_seed(row: VariantAnalysis) -> list[tuple[str, float]]:
    if row.gain is None:
        return []
    return [(str(seed), value) for seed, value in zip(row.gain.seeds, row.gain.by_seed, strict=True)]


def study_record(analysis: StudyAnalysis) -> dict[str, Any]:
    """The whole analysis for JSON, but for units and learning curves, which the runs' own files hold."""
    return {
        "study": analysis.name,
        "question": analysis.question,
        "answer": analysis.answer,
        "metric": analysis.metric,
        "unit": analysis.unit,
        "rehearsal": analysis.rehearsal,
        "numbers_are_results": not analysis.rehearsal,
        "data": analysis.data_description,
        "data_fingerprint": analysis.data_fingerprint,
        "scored_hash": analysis.scored_hash,
        "seeds": list(analysis.seeds),
        "baseline": analysis.baseline_name,
        "baseline_at_chance": analysis.baseline_at_chance,
        "target": analysis.target,
        "winner": analysis.winner,
        "attainable": analysis.attainable,
        "attainable_accuracy": analysis.attainable_accuracy,
        "floor": analysis.floor,
        "smallest_detectable_gain": analysis.detectable,
        "smallest_detectable_gain_relative": analysis.detectable_relative,
        "smallest_detectable_gain_basis": analysis.detectable_basis,
        "runs_planned": analysis.runs_planned,
        "runs_done": analysis.runs_done,
        "runs_failed": analysis.runs_failed,
        "family": list(analysis.family),
        "rows": [nested_row(row) for row in analysis.rows],
        "failures": [asdict(failure) for failure in analysis.failures],
        "attribution": asdict(analysis.attribution),
        "efficiency": [asdict(curve) for curve in analysis.efficiency],
        "analysis": analysis.rule.model_dump(),
        "guards": [asdict(guard) for guard in analysis.guards],
        "notes": [note.text for note in analysis.notes],
        "next_steps": list(analysis.next_steps),
        "expectations_hash": analysis.expectations_hash,
        "expectation_changes": list(analysis.expectation_changes),
        "environment": dict(analysis.environment),
    }
