"""A comparison of two studies as text for a terminal, or as one JSON object. Takes a `Comparison`, loads no torch."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from ablate.analysis.comparison import Comparison, Difference, Shared
from ablate.analysis.outcome import Gain, VariantAnalysis
from ablate.analysis.words import ABSENT, bracket, number, percent_with_interval, signed_percent, with_interval
from ablate.report.columns import cut, plain

MOST = 30
"""Differences of a kind that the table lists."""
LONGEST = 44


def comparison_text(comparison: Comparison) -> str:
    """The table, then what differs."""
    names = f"A {plain(comparison.first.name)}   B {plain(comparison.second.name)}"
    lines = [names, *(f"note: {plain(note)}" for note in comparison.notes), ""]
    lines += _table([_HEAD, *(_line(shared) for shared in comparison.shared)])
    lines += ["", *_verdicts(comparison)]
    for kind, found in (
        ("configuration", comparison.configuration),
        ("data", comparison.data),
        ("environment", comparison.environment),
    ):
        lines += _differences(kind, found)
    for shared in comparison.shared:
        if shared.differences:
            lines += _differences(f"what {plain(shared.name)} changes", shared.differences)
    for letter, only in (("A", comparison.only_first), ("B", comparison.only_second)):
        if only:
            lines.append(f"only in {letter}: {', '.join(map(plain, only))}")
    return "\n".join(line.rstrip() for line in lines) + "\n"


_HEAD = ("variant", "score A", "score B", "gain A, 95 %", "gain B, 95 %", "B - A, 95 %", "verdict A", "verdict B")


def _line(shared: Shared) -> tuple[str, ...]:
    change = shared.change
    if change is None:
        told = ""
    elif change.relative:
        told = f"{signed_percent(change.mean)} {bracket(change.interval, 1, scale=100.0, sign=True)}"
    else:
        told = with_interval(change.mean, change.interval, sign=True)
    if change is not None and change.clear:
        told += " *"
    arrow = "" if not shared.verdict_changed else "-> "
    return (
        cut(plain(shared.name), 30),
        _score(shared.first),
        _score(shared.second),
        _gain(shared.first.gain),
        _gain(shared.second.gain),
        told,
        shared.first.verdict,
        arrow + shared.second.verdict,
    )


def _score(row: VariantAnalysis) -> str:
    return number(row.score.mean if row.score else None)


def _gain(gain: Gain | None) -> str:
    if gain is None:
        return ""
    if gain.relative is None:
        return with_interval(gain.mean, gain.interval, sign=True)
    return percent_with_interval(gain.relative, gain.relative_interval)


def _table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))


def _verdicts(comparison: Comparison) -> Iterator[str]:
    """What a reader asks first: did anything change."""
    changed = [shared for shared in comparison.shared if shared.verdict_changed]
    clear = [plain(shared.name) for shared in comparison.shared if shared.change is not None and shared.change.clear]
    if not comparison.shared:
        yield "no variant is in both studies"
        return
    if changed:
        told = ", ".join(f"{plain(one.name)} ({one.first.verdict} -> {one.second.verdict})" for one in changed)
        yield f"verdicts that changed: {told}"
    else:
        yield "no verdict changed"
    yield f"gains that differ by more than noise (*): {', '.join(clear) or 'none'}"


def _differences(kind: str, found: Sequence[Difference]) -> Iterator[str]:
    if not found:
        if not kind.startswith("what"):
            yield f"{kind}: the same"
        return
    yield f"{kind}:"
    rows = [(f"  {plain(one.path)}", _value(one.first), _value(one.second)) for one in found[:MOST]]
    yield from _table([("  key", "A", "B"), *rows])
    if len(found) > MOST:
        yield f"  and {len(found) - MOST} more (--format json has all)"


def _value(text: str | None) -> str:
    return ABSENT if text is None else cut(plain(text), LONGEST)


# ------------------------------------------------------------------ json


def comparison_json(comparison: Comparison) -> str:
    """first, second, notes, variants, configuration, data, environment, only_first, only_second."""
    record = {
        "first": comparison.first.name,
        "second": comparison.second.name,
        "notes": list(comparison.notes),
        "variants": [_record(shared) for shared in comparison.shared],
        "only_first": list(comparison.only_first),
        "only_second": list(comparison.only_second),
        "configuration": _records(comparison.configuration),
        "data": _records(comparison.data),
        "environment": _records(comparison.environment),
    }
    return json.dumps(record, indent=1, ensure_ascii=False, allow_nan=False) + "\n"


def _record(shared: Shared) -> dict[str, Any]:
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
        "differences": _records(shared.differences),
    }


def _side(row: VariantAnalysis) -> dict[str, Any]:
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


def _records(found: Sequence[Difference]) -> list[dict[str, str | None]]:
    return [{"key": one.path, "first": one.first, "second": one.second} for one in found]
