"""What a variant costs, beside the baseline: from the manifest, and from the runs that finished."""

from collections.abc import Iterable

from ablate.analysis.cells import Cell
from ablate.analysis.outcome import CostSummary
from ablate.result.record import ModelCost


def cost_summary(cell: Cell, baseline: Cell) -> CostSummary:
    """Ratios are to the baseline's; what nothing was measured of is None."""
    own, base = model_cost(cell), model_cost(baseline)
    usage = [run.usage for seed, run in cell.records.items() if run.usage and seed in cell.scored]
    base_usage = [run.usage for seed, run in baseline.records.items() if run.usage and seed in baseline.scored]
    seconds, base_seconds = (known_mean(used.seconds for used in held) for held in (usage, base_usage))
    peak, base_peak = (max((used.peak_memory_bytes for used in held), default=None) for held in (usage, base_usage))
    return CostSummary(
        total_parameters=own.total_parameters if own else None,
        trainable_parameters=own.trainable_parameters if own else None,
        parameters_ratio=_ratio(own.total_parameters, base.total_parameters) if own and base else None,
        flops=own.total_flops if own else None,
        flops_ratio=_ratio(own.total_flops, base.total_flops) if own and base else None,
        seconds=seconds,
        seconds_ratio=_ratio(seconds, base_seconds),
        step_milliseconds=known_mean(used.step_milliseconds for used in usage),
        peak_memory_bytes=peak,
        memory_ratio=_ratio(peak, base_peak),
        parts=tuple(own.parts.items()) if own else (),
        shapes=tuple(own.shapes.items()) if own else (),
        tokens_time=own.tokens.time if own and own.tokens else None,
        tokens_space=own.tokens.space if own and own.tokens else None,
        pixels_never_seen=own.pixels_never_seen if own else None,
    )


def model_cost(cell: Cell) -> ModelCost | None:
    """The manifest's cost, or that of the first run that has one."""
    return cell.entry.cost or next((run.cost for _, run in sorted(cell.records.items()) if run.cost), None)


def _ratio(value: float | int | None, base: float | int | None) -> float | None:
    return value / base if value is not None and base else None


def known_mean(values: Iterable[float | None]) -> float | None:
    """The mean of what is known."""
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known else None
