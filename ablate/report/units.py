"""Every unit's own score under every variant, means over the seeds: `--format units`, for studies of few units.

The ranked table tells what a patch gains on average; this one tells on which units, and whether the baseline beats a
reference on every one of them. Excluded units (too few spikes) have no row.
"""

from statistics import fmean, median

from ablate.analysis import StudyAnalysis, VariantAnalysis
from ablate.analysis.headline import REHEARSAL
from ablate.analysis.words import ABSENT, number

Place = tuple[str, int]
"""Session and unit."""


def units_text(analysis: StudyAnalysis) -> str:
    """A Markdown table, one line a unit, then the mean and the median over units, and how often the baseline leads."""
    rows = [row for row in _references_first(analysis) if row.units]
    lines = [f"## {analysis.name}: {analysis.unit} of each unit", ""]
    if analysis.rehearsal:
        lines += [f"**{REHEARSAL}**", ""]
    if not rows:
        return "\n".join([*lines, "No finished run has per-unit scores."]) + "\n"
    scores = {analysis.baseline_name: _baseline(rows)}
    scores |= {row.name: {(unit.session, unit.unit): unit.score for unit in row.units} for row in rows}
    places = sorted({place for of_units in scores.values() for place in of_units})
    several = len({session for session, _ in places}) > 1
    lines.append(_pipes(["unit", *scores]))
    lines.append(_pipes(["---:"] * (len(scores) + 1)))
    for place in places:
        name = f"{place[0]} {place[1]}" if several else str(place[1])
        lines.append(_pipes([name, *(number(of_units.get(place)) for of_units in scores.values())]))
    for word, statistic in (("mean", fmean), ("median", median)):
        lines.append(_pipes([word, *(number(statistic(of_units.values())) for of_units in scores.values())]))
    lines += ["", f"Means over the seeds that a variant shares with the baseline ({_seeds(rows)})."]
    lines += [f"- {text}" for text in _leads(rows)]
    return "\n".join(lines) + "\n"


def _references_first(analysis: StudyAnalysis) -> list[VariantAnalysis]:
    """References, then the rest as ranked; the baseline has no gains of its own and is read off the others."""
    return sorted(analysis.rows, key=lambda row: row.role != "reference")


def _baseline(rows: list[VariantAnalysis]) -> dict[Place, float]:
    """The baseline's scores, over as many seeds as any variant shares with it."""
    fullest = max(rows, key=lambda row: row.seeds_done)
    return {(unit.session, unit.unit): unit.baseline for unit in fullest.units}


def _leads(rows: list[VariantAnalysis]) -> list[str]:
    """On how many units the baseline is above each reference."""
    found = []
    for row in rows:
        if row.role == "reference":
            above = sum(unit.baseline > unit.score for unit in row.units)
            found.append(f"The baseline is above `{row.name}` on {above} of {len(row.units)} units.")
    return found


def _seeds(rows: list[VariantAnalysis]) -> str:
    counts = sorted({row.seeds_done for row in rows})
    return "/".join(map(str, counts)) if counts else ABSENT


def _pipes(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"
