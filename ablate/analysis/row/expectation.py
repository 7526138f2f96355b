"""Predictions written down before the first run, scored afterwards.

An expected gain is a range of relative gains, (0.03, 0.05). With [L, H] the interval of the relative gain at the level
of the row's verdict (one error rate a row: `row/gains.py`) and m the gain itself:

    above       L > high of the range
    below       H < low of the range
    met         m lies in the range, and the interval supports it: it is clear of zero if the range is, and within
                the range if that holds zero
    undecided   anything else, and whatever has no interval

Costs carry no noise worth an interval: the range is the expected ratio to the baseline +- 10 %.
"""

from collections.abc import Mapping

from ablate.analysis.outcome import CostSummary, Gain, Interval, Outcome, Prediction

COST_TOLERANCE = 0.1

COST_NAMES = {
    "parameters": ("parameters", "params", "total_parameters"),
    "flops": ("flops",),
    "seconds": ("seconds", "time"),
    "memory": ("memory", "peak_memory", "peak_memory_bytes"),
}
"""Each cost that can be expected, by all its names."""


def score_gain(expect: tuple[float, float] | None, gain: Gain | None) -> Prediction | None:
    """How an expected relative gain fared; None where nothing was expected."""
    if expect is None:
        return None
    low, high = min(expect), max(expect)
    if gain is None or gain.relative is None or gain.judged_relative is None:
        observed = None if gain is None else gain.relative
        return Prediction("gain", (low, high), observed, None, "undecided")
    outcome = _gain_outcome((low, high), gain.relative, gain.judged_relative)
    return Prediction("gain", (low, high), gain.relative, gain.judged_relative, outcome)


def _gain_outcome(expected: tuple[float, float], observed: float, interval: Interval) -> Outcome:
    low, high = expected
    if interval.low > high:
        return "above"
    if interval.high < low:
        return "below"
    inside = low <= observed <= high
    within = low <= interval.low and interval.high <= high
    supported = within if low <= 0 <= high else interval.clear_of(0.0)
    return "met" if inside and supported else "undecided"


def score_costs(expect: Mapping[str, float] | None, cost: CostSummary) -> tuple[Prediction, ...]:
    """How expected costs fared. expect: `{"flops": 2.6, "parameters": 0.63}`, ratios to the baseline's."""
    ratios = {name: ratio for kind, ratio in cost.ratios().items() for name in COST_NAMES[kind]}
    found = []
    for name, ratio in (expect or {}).items():
        low, high = sorted((ratio * (1 - COST_TOLERANCE), ratio * (1 + COST_TOLERANCE)))
        observed = ratios.get(name)
        outcome: Outcome = "undecided"
        if observed is not None:
            outcome = "above" if observed > high else "below" if observed < low else "met"
        found.append(Prediction(name, (low, high), observed, None, outcome))
    return tuple(found)
