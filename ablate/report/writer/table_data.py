"""A report for programs: one line a variant (CSV), or everything as one object (JSON)."""

from dataclasses import asdict
from typing import TYPE_CHECKING

from ablate.analysis.comparison import Comparison, Difference, Shared
from ablate.analysis.outcome import StudyAnalysis, VariantAnalysis
from ablate.disk.read import Json, dumped
from ablate.report.columns import all_columns
from ablate.report.content import Block, Code, Content, Facts, Lines, Pictures, Ranking, Table

if TYPE_CHECKING:
    import pandas as pd


def fields(analysis: StudyAnalysis, row: VariantAnalysis) -> Json:
    """All figures of a row, column by column, and what to doubt of it and of the whole study; None where one is not
    known."""
    guards = dict.fromkeys(guard.kind for guard in analysis.guards if guard.row in (None, row.name))
    figures = {name: value for column in all_columns(analysis) for name, value in column.fields(row).items()}
    return {**figures, "guards": list(guards)}


def data_frame(analysis: StudyAnalysis) -> "pd.DataFrame":
    """One line a variant; `status` is `rehearsal: numbers are not results` where they are not."""
    import pandas as pd  # half a second, which a table on a terminal need not pay

    status = "rehearsal: numbers are not results" if analysis.rehearsal else "results"
    head = {"study": analysis.name, "status": status, "metric": analysis.metric}
    return pd.DataFrame([{**head, **fields(analysis, row)} for row in analysis.rows], dtype=object)


def csv_text(analysis: StudyAnalysis) -> str:
    """Lists are joined by `; `."""
    frame = data_frame(analysis)
    for name in frame:
        cells = ["; ".join(map(str, value)) if isinstance(value, list) else value for value in frame[name]]
        frame[name] = frame[name].__class__(cells, dtype=object)  # a whole number stays one beside a missing one
    return str(frame.to_csv(index=False, lineterminator="\n"))


def json_text(content: Content) -> str:
    """The record of a report as one document."""
    return dumped(report_record(content))


def report_record(content: Content) -> Json:
    """The figures of the study and its rows, and `report`: every block of the report as it is read."""
    record = {} if content.analysis is None else study_record(content.analysis)
    return {**record, "title": content.title, "report": [_block(block) for block in content.blocks]}


def _block(block: Block) -> Json:
    head = {"key": block.key, "title": block.title}
    match block:
        case Lines():
            return {**head, "lines": list(block.lines)}
        case Facts():
            return {**head, "facts": dict(block.facts)}
        case Ranking():
            return {**head, "columns": {column.key: column.heading for column in block.columns}, "note": block.note}
        case Table():
            rows = [list(row) for row in block.rows]
            return {**head, "headings": list(block.headings), "rows": rows, "note": block.note}
        case Code():
            return {**head, "text": block.text}
        case Pictures():
            return {**head, "how": block.how}


# ------------------------------------------------------------------ one study


def study_record(analysis: StudyAnalysis) -> Json:
    """The whole analysis, but for units and learning curves, which the runs' own files hold."""
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
        "overrides": list(analysis.overrides),
        "family": list(analysis.family),
        "rows": [_row(analysis, row) for row in analysis.rows],
        "failures": [asdict(failure) for failure in analysis.failures],
        "attribution": asdict(analysis.attribution),
        "efficiency": [asdict(curve) for curve in analysis.efficiency],
        "measured": [asdict(row) for row in analysis.measured],
        "repeats": None if analysis.repeats is None else asdict(analysis.repeats),
        "analysis": analysis.rule.model_dump(),
        "guards": [asdict(guard) for guard in analysis.guards],
        "notes": [note.text for note in analysis.notes],
        "next_steps": list(analysis.next_steps),
        "expectations_hash": analysis.expectations_hash,
        "expectation_changes": list(analysis.expectation_changes),
        "environment": dict(analysis.environment),
    }


def _row(analysis: StudyAnalysis, row: VariantAnalysis) -> Json:
    """The fields of its columns and what does not fit into a table: scores by seed, sessions, parts, differences."""
    by_seed = () if row.gain is None else zip(row.gain.seeds, row.gain.by_seed, strict=True)
    return {
        **fields(analysis, row),
        "score_by_seed": {str(seed): value for seed, value in row.by_seed},
        "gain_by_seed": {str(seed): value for seed, value in by_seed},
        "run_keys": {str(seed): key for seed, key in row.keys},
        "parts": dict(row.cost.parts),
        "tokens": {"time": row.cost.tokens_time, "space": row.cost.tokens_space},
        "pixels_never_seen": row.cost.pixels_never_seen,
        "predictions": [asdict(prediction) for prediction in row.predictions],
        "sessions": [asdict(session) for session in row.sessions],
        "classes": None if row.classes is None else asdict(row.classes),
        "numbers": None if row.numbers is None else asdict(row.numbers),
        "differences": {path: [before, after] for path, before, after in row.differences},
    }


# ------------------------------------------------------------------ two studies


def comparison_json(comparison: Comparison) -> str:
    """first, second, notes, variants, configuration, data, environment, only_first, only_second."""
    record = {
        "first": comparison.first.name,
        "second": comparison.second.name,
        "notes": list(comparison.notes),
        "variants": [_shared(shared) for shared in comparison.shared],
        "only_first": list(comparison.only_first),
        "only_second": list(comparison.only_second),
        "configuration": _differences(comparison.configuration),
        "data": _differences(comparison.data),
        "environment": _differences(comparison.environment),
    }
    return dumped(record)


def _shared(shared: Shared) -> Json:
    change = shared.change
    interval = None if change is None else change.interval
    return {
        "variant": shared.name,
        "first": _side(shared.first),
        "second": _side(shared.second),
        "gain_change": None if change is None else change.mean,
        "gain_change_low": None if interval is None else interval.low,
        "gain_change_high": None if interval is None else interval.high,
        "gain_change_is_relative": None if change is None else change.relative,
        "gain_change_is_clear": None if change is None else change.clear,
        "verdict_changed": shared.verdict_changed,
        "differences": _differences(shared.differences),
    }


def _side(row: VariantAnalysis) -> Json:
    gain = row.gain
    return {
        "name": row.name,
        "score": None if row.score is None else row.score.mean,
        "gain": None if gain is None else gain.mean,
        "gain_relative": None if gain is None else gain.relative,
        "verdict": row.verdict,
        "verdict_note": row.verdict_note,
        "seeds": row.finite,
    }


def _differences(found: tuple[Difference, ...]) -> list[dict[str, str | None]]:
    return [{"key": one.path, "first": one.first, "second": one.second} for one in found]
