"""The best variant session by session, the main models part by part, and every unit's own score."""

from collections.abc import Iterator, Sequence
from statistics import fmean, median

from ablate.analysis.beside.over_units import unit_scores
from ablate.analysis.best import best_row, main_rows
from ablate.analysis.outcome import CostSummary, StudyAnalysis, VariantAnalysis
from ablate.analysis.words import ABSENT, count, memory, number, percent, with_interval
from ablate.metric import metric_named
from ablate.report.content.block import Block, Lines, Table

MOST_SESSIONS = 60


def sessions(analysis: StudyAnalysis) -> Iterator[Block]:
    """The gain in every session, of the winner, or where none is named of the patch that gained most."""
    row = best_row(analysis)
    if row is None or len(row.sessions) < 2:
        return
    known = any(session.better is not None for session in row.sessions)
    ceiling = any(session.attainable is not None for session in row.sessions)
    metric = metric_named(analysis.metric)
    noun, group = f"{metric.noun}s", metric.sample[1]
    headings = [group, "scored", "left out", "baseline", row.name]
    headings += [*(["attainable"] if ceiling else []), "gain, 95 %", *([f"{noun} that gain"] if known else [])]
    lines = []
    for session in row.sessions[:MOST_SESSIONS]:
        cells = [session.name, str(session.entries), str(session.excluded)]
        cells += [number(session.baseline), number(session.score)]
        cells += [number(session.attainable)] if ceiling else []
        cells += [with_interval(session.gain, session.interval, sign=True)]
        cells += [percent(session.better, 0)] if known else []
        lines.append(tuple(cells))
    gained = sum(session.gain > 0 for session in row.sessions)
    note = f"{row.name} gains in {gained} of {len(row.sessions)} {group}s."
    more = len(row.sessions) - MOST_SESSIONS
    note += f" {more} more {group}s are in --format json." if more > 0 else ""
    right = tuple(range(1, len(headings)))
    yield Table("sessions", f"{group.capitalize()} by {group}", tuple(headings), tuple(lines), right, note)


# ------------------------------------------------------------------ models


def models(analysis: StudyAnalysis) -> Iterator[Block]:
    """Parts, parameters and shapes of baseline, reference and best variant, side by side."""
    rows = [row for row in main_rows(analysis) if row.cost.total_parameters is not None]
    if not rows:
        return
    parts = merged([list(dict.fromkeys(name for name, _ in (*row.cost.parts, *row.cost.shapes))) for row in rows])
    lines = [(part, *(_part(row.cost, part) for row in rows)) for part in parts]
    lines += [(title, *cells) for title, cells in _totals(rows) if any(cell != ABSENT for cell in cells)]
    note = "Parameters, and the shape of what each part gives for one sample (batch axis left out)."
    yield Table("models", "Models", ("part", *(row.name for row in rows)), tuple(lines), note=note)


def merged(orders: Sequence[Sequence[str]]) -> list[str]:
    """All names, each after the one that goes before it in its own order: another core's stages stand by the core."""
    found: list[str] = []
    for order in orders:
        place = 0
        for name in order:
            if name in found:
                place = found.index(name) + 1
            else:
                found.insert(place, name)
                place += 1
    return found


def _part(cost: CostSummary, part: str) -> str:
    parameters, shape = dict(cost.parts).get(part), dict(cost.shapes).get(part)
    if parameters is None and shape is None:
        return ""
    return f"{count(parameters)} → {' × '.join(map(str, shape))}" if shape else count(parameters)


def _totals(rows: Sequence[VariantAnalysis]) -> list[tuple[str, list[str]]]:
    costs = [row.cost for row in rows]
    return [
        ("all parameters", [count(cost.total_parameters) for cost in costs]),
        ("FLOPs of a forward pass", [count(cost.flops) for cost in costs]),
        ("tokens, time × rows × columns", [_tokens(cost) for cost in costs]),
        ("pixels never seen", [percent(cost.pixels_never_seen, 0) for cost in costs]),
        ("milliseconds a step", [number(cost.step_milliseconds, 1) for cost in costs]),
        ("peak memory", [memory(cost.peak_memory_bytes) for cost in costs]),
    ]


def _tokens(cost: CostSummary) -> str:
    if cost.tokens_time is None or cost.tokens_space is None:
        return ABSENT
    return f"{cost.tokens_time} × {cost.tokens_space[0]} × {cost.tokens_space[1]}"


# ------------------------------------------------------------------ units


def units(analysis: StudyAnalysis) -> Iterator[Block]:
    """One line a unit, then mean and median over units, and on how many of them the baseline leads a reference."""
    rows = [row for row in sorted(analysis.rows, key=lambda row: row.role != "reference") if row.units]
    noun = metric_named(analysis.metric).noun
    if not rows:
        yield Lines("units", f"{noun.capitalize()} by {noun}", (f"No finished run has a score of each {noun}.",))
        return
    scores = {row.name: unit_scores(analysis, row) for row in (analysis.baseline, *rows)}
    places = sorted({place for of_units in scores.values() for place in of_units})
    several = len({session for session, _ in places}) > 1
    lines = [
        (
            f"{session} {unit}" if several else str(unit),
            *(number(held.get((session, unit))) for held in scores.values()),
        )
        for session, unit in places
    ]
    for word, statistic in (("mean", fmean), ("median", median)):
        lines.append((word, *(number(statistic(held.values())) for held in scores.values())))
    seeds = "/".join(map(str, sorted({row.seeds_done for row in rows})))
    note = f"Means over the seeds that a variant shares with the baseline ({seeds})."
    right = tuple(range(len(scores) + 1))
    yield Table("units", f"{analysis.unit} of each {noun}", (noun, *scores), tuple(lines), right, note)
    leads = tuple(_lead(row, noun) for row in rows if row.role == "reference")
    if leads:
        yield Lines("leads", "Against the references", leads)


def _lead(row: VariantAnalysis, noun: str) -> str:
    above = sum(unit.baseline > unit.score for unit in row.units)
    return f"The baseline is above `{row.name}` on {above} of {len(row.units)} {noun}s."
