"""Two studies side by side: what changed, the variants that both have, and everything in which the studies differ."""

from collections.abc import Iterator, Sequence

from ablate.analysis.comparison import Comparison, Difference, GainChange, Shared
from ablate.analysis.outcome import Gain, VariantAnalysis
from ablate.analysis.words import ABSENT, bracket, number, percent_with_interval, signed_percent, with_interval
from ablate.report.content.block import Block, Content, Lines, Table
from ablate.report.text import cut

MOST = 30
"""Differences of a kind that a table lists."""
LONGEST = 44
HEADINGS = ("variant", "score A", "score B", "gain A, 95 %", "gain B, 95 %", "B - A, 95 %", "verdict A", "verdict B")


def compose_comparison(comparison: Comparison) -> Content:
    """What a reader asks first stands first: did anything change."""
    first, second = comparison.first.name, comparison.second.name
    return Content(f"A {first}   B {second}", tuple(_blocks(comparison)))


def _blocks(comparison: Comparison) -> Iterator[Block]:
    named = f"A {comparison.first.name}   B {comparison.second.name}"
    yield Lines("name", "Studies", (named,), "name", brief=True)
    if comparison.notes:
        yield Lines("notes", "Notes", comparison.notes, "warning", "note", brief=True)
    rows = tuple(_line(shared) for shared in comparison.shared)
    yield Table("variants", "The same variants in both", HEADINGS, rows, brief=True)
    yield Lines("changed", "What changed", tuple(_verdicts(comparison)), "answer", brief=True)
    for kind, found in (
        ("configuration", comparison.configuration),
        ("data", comparison.data),
        ("environment", comparison.environment),
    ):
        yield _differences(kind, kind.capitalize(), found)
    for shared in comparison.shared:
        if shared.differences:
            yield _differences(f"changes-{shared.name}", f"What {shared.name} changes", shared.differences)
    for letter, only in (("A", comparison.only_first), ("B", comparison.only_second)):
        if only:
            yield Lines(f"only-{letter}", f"Only in {letter}", (", ".join(only),), brief=True)


def _line(shared: Shared) -> tuple[str, ...]:
    return (
        cut(shared.name, 30),
        _score(shared.first),
        _score(shared.second),
        _gain(shared.first.gain),
        _gain(shared.second.gain),
        _change(shared.change),
        shared.first.verdict,
        ("-> " if shared.verdict_changed else "") + shared.second.verdict,
    )


def _change(change: GainChange | None) -> str:
    if change is None:
        return ""
    written = with_interval(change.mean, change.interval, sign=True)
    if change.relative:
        written = f"{signed_percent(change.mean)} {bracket(change.interval, 1, scale=100.0, sign=True)}"
    return f"{written} *" if change.clear else written


def _score(row: VariantAnalysis) -> str:
    return number(row.score.mean if row.score else None)


def _gain(gain: Gain | None) -> str:
    if gain is None:
        return ""
    if gain.relative is None:
        return with_interval(gain.mean, gain.interval, sign=True)
    return percent_with_interval(gain.relative, gain.relative_interval)


def _verdicts(comparison: Comparison) -> Iterator[str]:
    changed = [shared for shared in comparison.shared if shared.verdict_changed]
    clear = [shared.name for shared in comparison.shared if shared.change is not None and shared.change.clear]
    if not comparison.shared:
        yield "no variant is in both studies"
        return
    if changed:
        named = ", ".join(f"{one.name} ({one.first.verdict} -> {one.second.verdict})" for one in changed)
        yield f"verdicts that changed: {named}"
    else:
        yield "no verdict changed"
    yield f"gains that differ by more than noise (*): {', '.join(clear) or 'none'}"


def _differences(key: str, title: str, found: Sequence[Difference]) -> Block:
    if not found:
        return Lines(key, title, ("the same",), brief=True)
    rows = tuple((one.path, _value(one.first), _value(one.second)) for one in found[:MOST])
    note = f"and {len(found) - MOST} more (--format json has all)" if len(found) > MOST else ""
    return Table(key, title, ("key", "A", "B"), rows, note=note, brief=True)


def _value(text: str | None) -> str:
    return ABSENT if text is None else cut(text, LONGEST)
