"""Session by session, and the models part by part."""

from collections.abc import Sequence

from ablate.analysis import CostSummary, StudyAnalysis, VariantAnalysis
from ablate.analysis.words import ABSENT, count, memory, number, percent, with_interval
from ablate.report.figures.style import Look, best_rows
from ablate.report.html.markup import Html, html, section, table, tag
from ablate.report.html.ranked import dot

MOST_SESSIONS = 60
MOST_VARIANTS = 3


def sessions(analysis: StudyAnalysis, looks: dict[str, Look]) -> Html:
    """The gain in every session, for the winner, or where nothing wins for the first of the ranking."""
    rows = [row for row in best_rows(analysis, MOST_VARIANTS) if len(row.sessions) > 1]
    return section(
        "sessions", "Session by session", [part for row in rows for part in (_title(row, looks), _sessions(row))]
    )


def _title(row: VariantAnalysis, looks: dict[str, Look]) -> Html:
    gained = sum(session.gain > 0 for session in row.sessions)
    told = f"  gains in {gained} of {len(row.sessions)} sessions"
    return tag("h3", dot(looks[row.name]), row.name, tag("span", told, class_="small"))


def _sessions(row: VariantAnalysis) -> Html:
    largest = max(abs(session.gain) for session in row.sessions) or 1.0
    known = any(session.better is not None for session in row.sessions)
    ceiling = any(session.attainable is not None for session in row.sessions)
    heads = [
        "session",
        "scored",
        "left out",
        "baseline",
        "here",
        *(["attainable"] if ceiling else []),
        "gain, 95 %",
        "",
    ]
    heads += ["units that gain"] if known else []
    lines = []
    for session in row.sessions[:MOST_SESSIONS]:
        cells = [session.name, str(session.entries), str(session.excluded)]
        cells += [number(session.baseline), number(session.score)]
        cells += [number(session.attainable)] if ceiling else []
        cells += [with_interval(session.gain, session.interval, sign=True), _bar(session.gain / largest)]
        cells += [percent(session.better, 0)] if known else []
        lines.append(cells)
    shown = table(heads, lines, right=range(1, 6 if ceiling else 5))
    more = len(row.sessions) - MOST_SESSIONS
    return html([shown, tag("p", f"and {more} more sessions", class_="quiet")]) if more > 0 else shown


def _bar(share: float) -> Html:
    """The gain as a bar, at most 6 em."""
    return tag("span", class_="bar" if share >= 0 else "bar minus", style=f"width: {6 * abs(share):.2f}em")


# ------------------------------------------------------------------ models


def models(analysis: StudyAnalysis, looks: dict[str, Look]) -> Html:
    """Parts, parameters and shapes of baseline, reference and the best variants, side by side."""
    chosen = [analysis.baseline, *best_rows(analysis, MOST_VARIANTS)]
    chosen += [analysis.row(analysis.target)] if analysis.target is not None else []
    rows = [row for row in dict.fromkeys(chosen) if row.cost.total_parameters is not None]
    if not rows:
        return Html("")
    parts = merged([list(dict.fromkeys(name for name, _ in (*row.cost.parts, *row.cost.shapes))) for row in rows])
    lines: list[list[str]] = [[part, *(_part(row.cost, part) for row in rows)] for part in parts]
    lines += [[title, *cells] for title, cells in _totals(rows) if any(cell != ABSENT for cell in cells)]
    heads = ["part", *(html([dot(looks[row.name]), row.name]) for row in rows)]
    note = "Parameters, and the shape of what each part gives for one sample (batch axis left out)."
    return section("models", "Models", tag("p", note, class_="quiet"), table(heads, lines))


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


def _part(cost: CostSummary, part: str) -> Html:
    parameters, shape = dict(cost.parts).get(part), dict(cost.shapes).get(part)
    if parameters is None and shape is None:
        return Html("")
    told = " × ".join(map(str, shape)) if shape else ""
    return html([count(parameters), tag("span", f"  {told}", class_="small nowrap")])


def _totals(rows: Sequence[VariantAnalysis]) -> list[tuple[str, list[str]]]:
    costs = [row.cost for row in rows]
    tokens = [
        ABSENT
        if cost.tokens_time is None or cost.tokens_space is None
        else _tokens(cost.tokens_time, cost.tokens_space)
        for cost in costs
    ]
    return [
        ("all parameters", [count(cost.total_parameters) for cost in costs]),
        ("FLOPs of a forward pass", [count(cost.flops) for cost in costs]),
        ("tokens, time × rows × columns", tokens),
        ("pixels never seen", [percent(cost.pixels_never_seen, 0) for cost in costs]),
        ("milliseconds a step", [number(cost.step_milliseconds, 1) for cost in costs]),
        ("peak memory", [memory(cost.peak_memory_bytes) for cost in costs]),
    ]


def _tokens(time: int, space: tuple[int, int]) -> str:
    return f"{time} × {space[0]} × {space[1]}"
