"""The columns beside the gain: validation, single units, other neurons and minutes, cost."""

from ablate.analysis.beside.over_units import above_reference, compared_reference, median_over_units
from ablate.analysis.outcome import Interval, StudyAnalysis, VariantAnalysis
from ablate.analysis.words import bracket, change, count, duration, memory, percent, ratio
from ablate.metric import metric_named
from ablate.report.columns.column import Column, Fields, Form, ends, figure, one
from ablate.report.text import cut, plain


def beside(analysis: StudyAnalysis) -> tuple[Column, ...]:
    reference = compared_reference(analysis)
    metric = metric_named(analysis.metric)
    entry, noun = metric.sample[0], metric.noun
    few = any(guard.kind == "few sessions" for guard in analysis.guards)
    return (
        figure("validation", "validation", lambda row: row.validation, part="beside"),
        figure(
            "median",
            f"median {noun}",
            lambda row: median_over_units(analysis, row),
            field="score_median",
            part="beside",
        ),
        one(
            "above",
            f"{noun}s above {cut(plain(reference.name), 16) if reference else 'the reference'}",
            lambda row: _of(above_reference(analysis, row)),
            lambda row: _above_fields(above_reference(analysis, row)),
            part="beside",
            right=True,
        ),
        figure("calibration", "calibration error", _calibration, field="calibration_error", part="beside"),
        figure("ceiling", "ceiling", lambda row: row.ceiling_share, field="ceiling_share", write=_share, part="beside"),
        one(  # fewer than five sessions are no sample of other neurons
            "other_neurons",
            f"gain over these {entry}s" if few else f"gain over {entry}s, 95 %",
            lambda row: "" if row.gain is None else _range(row.gain.over_units, row.gain.over_units_relative),
            lambda row: ends("gain_units", None if row.gain is None else row.gain.over_units),
            part="beside",
        ),
        one(
            "other_minutes",
            "gain over minutes, 95 %",
            lambda row: "" if row.gain is None else _range(row.gain.over_time, row.gain.over_time_relative),
            lambda row: ends("gain_time", None if row.gain is None else row.gain.over_time),
            part="beside",
        ),
    )


def _share(value: float | None) -> str:
    return percent(value, 0)


def _calibration(row: VariantAnalysis) -> float | None:
    return None if row.classes is None else row.classes.calibration_error


def _of(pair: tuple[int, int] | None) -> str:
    return "" if pair is None else f"{pair[0]} of {pair[1]}"


def _above_fields(pair: tuple[int, int] | None) -> Fields:
    above, shared = pair or (None, None)
    return {"units_above_reference": above, "units_compared": shared}


def _range(absolute: Interval | None, relative: Interval | None) -> str:
    return bracket(absolute, sign=True) if relative is None else f"{bracket(relative, 1, scale=100.0, sign=True)} %"


def cost() -> tuple[Column, ...]:
    return (
        Column(
            "parameters",
            (Form("parameters", _parameters), Form("params", lambda row: count(row.cost.total_parameters))),
            lambda row: {
                "total_parameters": row.cost.total_parameters,
                "trainable_parameters": row.cost.trainable_parameters,
                "parameters_ratio": row.cost.parameters_ratio,
            },
            part="beside",
        ),
        one(
            "flops",
            "FLOPs",
            lambda row: ratio(row.cost.flops_ratio),
            lambda row: {"flops": row.cost.flops, "flops_ratio": row.cost.flops_ratio},
            part="beside",
            right=True,
        ),
        one("seconds", "time", lambda row: duration(row.cost.seconds), _time_fields, part="beside", right=True),
        one(
            "memory",
            "memory",
            lambda row: memory(row.cost.peak_memory_bytes),
            lambda row: {
                "peak_memory_bytes": row.cost.peak_memory_bytes,
                "memory_ratio": row.cost.memory_ratio,
            },
            part="beside",
            right=True,
        ),
    )


def _time_fields(row: VariantAnalysis) -> Fields:
    return {
        "seconds": row.cost.seconds,
        "seconds_ratio": row.cost.seconds_ratio,
        "step_milliseconds": row.cost.step_milliseconds,
    }


def _parameters(row: VariantAnalysis) -> str:
    total = count(row.cost.total_parameters)
    if row.role == "baseline" or row.cost.parameters_ratio in (None, 1.0):
        return total
    return f"{total} {change(row.cost.parameters_ratio)}"
