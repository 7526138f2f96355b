"""From numbers to words: one verdict a row, the ranking, and the row that may be called the winner.

    helps         Holm-adjusted p <= 0.05, gain above zero, and every seed finite
    hurts         Holm-adjusted p <= 0.05, gain below zero
    no evidence   anything else that could be compared (would need n seeds)
    invalid       nothing to compare: no finite seed, or scored on other bins than the baseline

Rows that help are ranked by the lower end of their interval, never by the point estimate; after them the rows without
evidence, then those that hurt, each by the lower end. A control is judged as if it were one more patch of the family.
No winner is named when the baseline is at chance (the interval of its score reaches zero), or when no row helps.
"""

from collections.abc import Sequence

from ablate.analysis.cells import Cell
from ablate.analysis.outcome import Estimate, Gain, VariantAnalysis, Verdict
from ablate.analysis.statistics.noise import ALPHA, MOST_SEEDS
from ablate.analysis.words import plural

ORDER: dict[Verdict, int] = {"helps": 0, "no evidence": 1, "hurts": 2, "invalid": 3, "baseline": 4, "reference": 4}


def judge(cell: Cell, gain: Gain | None, *, planned: int) -> tuple[Verdict, str]:
    """The word and what stands behind it."""
    word, remarks = _word(cell, gain)
    if cell.barred:
        remarks = [f"{len(cell.scores)}/{planned} finite", *remarks]
    return word, ", ".join(remarks)


def _word(cell: Cell, gain: Gain | None) -> tuple[Verdict, list[str]]:
    if cell.entry.role == "baseline":
        return "baseline", []
    if cell.refused:
        return "invalid", [cell.refused] if cell.refused != "no finite seed" or not cell.barred else []
    if cell.entry.role == "reference":
        return "reference", [] if cell.scores else ["not run yet"]
    if gain is None:
        return "no evidence", ["no seed shared with the baseline yet" if cell.scores else "not run yet"]
    if gain.p_holm is None:
        return "no evidence", ["1 seed: no interval"]
    if gain.p_holm <= ALPHA:
        if gain.mean < 0:
            return "hurts", []
        if gain.mean > 0 and not cell.barred:
            return "helps", []
        return "no evidence", ["a spoilt seed bars 'helps'"]
    if cell.entry.role == "control":  # it should show nothing at any number of seeds
        return "no evidence", []
    needed = f"> {MOST_SEEDS} seeds" if gain.seeds_needed is None else plural(gain.seeds_needed, "seed")
    remarks = [f"would need {needed}"]
    if gain.p is not None and gain.p <= ALPHA:
        remarks.insert(0, "clear of zero alone, not after Holm")
    return "no evidence", remarks


def at_chance(score: Estimate | None) -> bool:
    """Whether the baseline predicts no better than a constant: its interval reaches zero (its score does, for one
    seed)."""
    if score is None:
        return False
    return (score.interval.low if score.interval else score.mean) <= 0


def rank(rows: Sequence[VariantAnalysis]) -> tuple[tuple[int | None, int], ...]:
    """(rank, index into rows) in the order of the table: patches, controls, references, baseline; invalid ones last.

    Rows without an interval keep the plan's order behind those with one, and get no rank.
    """
    indexed = sorted(range(len(rows)), key=lambda index: (*_place(rows[index]), index))
    found: list[tuple[int | None, int]] = []
    position = 0
    for index in indexed:
        row = rows[index]
        ranked = (
            row.role == "variant"
            and row.verdict != "invalid"
            and row.gain is not None
            and row.gain.interval is not None
        )
        position += ranked
        found.append((position if ranked else None, index))
    return tuple(found)


def _place(row: VariantAnalysis) -> tuple[int, int, float]:
    roles = {"variant": 0, "control": 1, "reference": 2, "baseline": 3}
    low = row.gain.interval.low if row.gain is not None and row.gain.interval is not None else float("-inf")
    if row.role == "reference":
        return roles[row.role], 0, -row.score.mean if row.score else float("inf")
    return roles[row.role], ORDER[row.verdict], -low


def winner(ordered: Sequence[VariantAnalysis], *, chance: bool) -> str | None:
    """The first row that helps; None when the baseline is at chance or nothing helps."""
    if chance:
        return None
    return next((row.name for row in ordered if row.role == "variant" and row.verdict == "helps"), None)
