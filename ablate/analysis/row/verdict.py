"""From numbers to words: one verdict a row, the ranking, and the row that may be called the winner.

    negligible    the gain lies within +-worth of the baseline: Holm-adjusted p of two one-sided tests <= 0.05
    helps         Holm-adjusted p <= 0.05, gain above zero, and every seed finite
    hurts         Holm-adjusted p <= 0.05, gain below zero
    no evidence   anything else that could be compared (would need n seeds)
    invalid       nothing to compare: no finite seed, or scored on other bins than the baseline

A gain that is surely above zero and surely below what is worth having is negligible. The two families do not add up
their errors in a row: where the gain is worth having `helps` is right and only `negligible` can be false, where it is
zero only `helps` or `hurts` can.

Rows that help are ranked by the lower end of their interval, never by the point estimate; after them the negligible
rows and those without evidence, then those that hurt, each by the lower end. A control is judged as if it were one more
patch of the family.
"""

from collections.abc import Sequence

from ablate.analysis.cells import Cell
from ablate.analysis.outcome import Gain, VariantAnalysis, Verdict
from ablate.analysis.statistics.noise import ALPHA, MOST_SEEDS
from ablate.analysis.words import percent, plural

ORDER: dict[Verdict, int] = {
    "baseline": 0,
    "reference": 0,
    "helps": 0,
    "negligible": 1,
    "no evidence": 1,
    "hurts": 2,
    "invalid": 3,
}


def judge(cell: Cell, gain: Gain | None, *, planned: int, worth: float) -> tuple[Verdict, str]:
    """The word and what stands behind it."""
    word, remarks = _word(cell, gain, worth)
    if cell.barred:
        remarks = [f"{len(cell.scores)}/{planned} finite", *remarks]
    return word, ", ".join(remarks)


def _word(cell: Cell, gain: Gain | None, worth: float) -> tuple[Verdict, list[str]]:
    if cell.entry.role == "baseline":
        return "baseline", []
    if cell.refused:
        return "invalid", [cell.refused] if cell.refused != "no finite seed" or not cell.barred else []
    if cell.entry.role == "reference":
        return "reference", [] if cell.scores else ["not run yet"]
    if gain is None:
        return "no evidence", [f"no {cell.replicate} shared with the baseline yet" if cell.scores else "not run yet"]
    if gain.p_holm is None:
        return "no evidence", [
            f"1 {cell.replicate}: no interval" if gain.look is None else f"first look at {gain.look.here} seeds"
        ]
    settled = [] if gain.look is None else [f"settled at {gain.look.here} seeds"]
    if gain.p_negligible is not None and gain.p_negligible <= ALPHA and not cell.barred:
        return "negligible", [f"within {percent(worth, 0 if round(100 * worth, 6).is_integer() else 1)}", *settled]
    if gain.p_holm <= ALPHA:
        if gain.mean < 0:
            return "hurts", settled
        if gain.mean > 0 and not cell.barred:
            return "helps", settled
        return "no evidence", ["a failed seed bars 'helps'", *settled]
    if gain.look is not None:
        if gain.out_of_reach:
            return "no evidence", [f"ended at {gain.look.here} seeds, for {gain.look.seeds[-1]} would hardly settle it"]
        last = gain.look.number + 1 == len(gain.look.seeds)
        return "no evidence", [f"open after {'the last look, at ' if last else ''}{gain.look.here} seeds"]
    if cell.entry.role == "control":  # it should show nothing at any number of seeds
        return "no evidence", []
    needed = f"> {MOST_SEEDS} {cell.replicate}s"
    if gain.seeds_needed is not None:
        needed = plural(gain.seeds_needed, cell.replicate)
    remarks = [f"would need {needed}"] if cell.replicate != "fold" else []  # more folds are no more trials
    if gain.p is not None and gain.p <= ALPHA:
        remarks.insert(0, "clear of zero alone, not after Holm")
    return "no evidence", remarks


def rank(rows: Sequence[VariantAnalysis]) -> tuple[tuple[int | None, int], ...]:
    """(rank, index into rows) in the order of the table: patches, controls, references, baseline; invalid ones last.

    Rows without an interval keep the manifest's order behind those with one, and get no rank.
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


def winner(ordered: Sequence[VariantAnalysis], *, barred: bool) -> str | None:
    """The first row that helps and that fresh seeds, where they were asked, do not speak against; None when nothing may
    be called best, or nothing helps.
    """
    if barred:
        return None
    helping = (row for row in ordered if row.role == "variant" and row.verdict == "helps")
    return next((row.name for row in helping if not fallen(row)), None)


def fallen(row: VariantAnalysis) -> bool:
    """Whether fresh seeds did not repeat the verdict."""
    return row.confirmed is not None and row.confirmed.repeat in ("weaker", "contradicted")
