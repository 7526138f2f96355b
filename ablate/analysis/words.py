"""How numbers are written, the same in sentences, tables and pages. Nothing here breaks on None: it gives ``-``."""

from collections.abc import Sequence

from ablate.analysis.outcome import Gain, Interval
from ablate.metric import metric_named

ABSENT = "-"


def unit_of(metric: str) -> str:
    """`bits_per_spike` -> `bits/spike`."""
    return metric_named(metric).label


def number(value: float | int | None, decimals: int = 3) -> str:
    """0.412; a value that would round to minus zero loses its sign."""
    if value is None:
        return ABSENT
    text = f"{value:.{decimals}f}"
    return text[1:] if text.startswith("-") and not text.strip("-0.") else text


def signed(value: float | int | None, decimals: int = 3) -> str:
    """+0.021"""
    text = number(value, decimals)
    return text if value is None or text.startswith("-") else f"+{text}"


def percent(ratio: float | None, decimals: int = 1) -> str:
    """62.0 %"""
    return ABSENT if ratio is None else f"{number(100 * ratio, decimals)} %"


def signed_percent(ratio: float | None, decimals: int = 1) -> str:
    """+5.1 %"""
    return ABSENT if ratio is None else f"{signed(100 * ratio, decimals)} %"


def bracket(interval: Interval | None, decimals: int = 3, *, scale: float = 1.0, sign: bool = False) -> str:
    """[0.401, 0.423]; empty without an interval."""
    if interval is None:
        return ""
    write = signed if sign else number
    return f"[{write(interval.low * scale, decimals)}, {write(interval.high * scale, decimals)}]"


def with_interval(
    value: float | int | None, interval: Interval | None, decimals: int = 3, *, sign: bool = False
) -> str:
    """0.412 [0.401, 0.423]"""
    text = (signed if sign else number)(value, decimals)
    return f"{text} {bracket(interval, decimals, sign=sign)}".rstrip()


def percent_with_interval(ratio: float | None, interval: Interval | None, decimals: int = 1) -> str:
    """+5.1 % [+2.1, +8.1]"""
    return f"{signed_percent(ratio, decimals)} {bracket(interval, decimals, scale=100.0, sign=True)}".rstrip()


def share_with_interval(share: float | None, interval: Interval | None, decimals: int = 0) -> str:
    """83 % [79, 86]"""
    return f"{percent(share, decimals)} {bracket(interval, decimals, scale=100.0)}".rstrip()


def p_value(p: float | None) -> str:
    """0.012, or <0.001"""
    if p is None:
        return ABSENT
    return "<0.001" if p < 0.001 else f"{p:.3f}"


def expected_range(expected: tuple[float, float] | None) -> str:
    """+3..5 %"""
    if expected is None:
        return ""
    low, high = (f"{100 * bound:+.3g}" for bound in expected)
    if low == high:
        return f"{low} %"
    return f"{low}..{high.removeprefix('+') if low[0] == '+' else high} %"


UNITS = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


def count(value: float | int | None) -> str:
    """7.21 M, 64, 12.3 k"""
    if value is None:
        return ABSENT
    if abs(value) < 1e4:
        return f"{value:g}"
    rounded = float(f"{value:.3g}")  # first, for 999,936 is 1 M and not 1e+03 k
    size, letter = next(unit for unit in UNITS if abs(rounded) >= unit[0])
    return f"{rounded / size:.3g} {letter}"


def ratio(value: float | int | None) -> str:
    """x2.6"""
    return ABSENT if value is None else f"x{value:.3g}" if value < 100 else f"x{value:.0f}"


MANYFOLD = 10


def change(value: float | int | None) -> str:
    """A ratio as a change: 0.63 -> -37 %; x133 where a percentage would have five digits"""
    if value is None:
        return ABSENT
    if value >= MANYFOLD:
        return ratio(value)
    percentage = 100 * (value - 1)
    return (
        "0 %" if abs(percentage) < 0.05 else f"{percentage:+.0f} %" if abs(percentage) >= 1 else f"{percentage:+.1f} %"
    )


def duration(seconds: float | None) -> str:
    """45 s, 12 min, 3.4 h"""
    if seconds is None:
        return ABSENT
    if seconds < 120:
        return f"{seconds:.3g} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def memory(size: float | int | None) -> str:
    """1.2 GB; blank where nothing was measured"""
    if not size:
        return ABSENT
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"


def listing(names: Sequence[str]) -> str:
    """a, b and c"""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}" if names else ""


def plural(count_: int, noun: str) -> str:
    """1 seed, 3 seeds"""
    return f"{count_} {noun}" if count_ == 1 else f"{count_} {noun}s"


def spans(numbers: Sequence[int]) -> str:
    """0-2, 10-14 and 20: neighbours drawn together"""
    runs: list[list[int]] = []
    for one in sorted(numbers):
        if runs and one == runs[-1][-1] + 1:
            runs[-1].append(one)
        else:
            runs.append([one])
    return listing([f"{run[0]}-{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs])


def gain_text(gain: Gain | None, unit: str) -> str:
    """`+5.1 % [+2.1, +8.1] bits/spike`, absolute where the baseline is no denominator."""
    if gain is None:
        return "no gain known"
    if gain.relative is None:
        return f"{with_interval(gain.mean, gain.interval, sign=True)} {unit}"
    return f"{percent_with_interval(gain.relative, gain.relative_interval)} {unit}"
