"""What the units say one by one: the median over them, and on how many a row is above the reference.

A mean over units can be carried by a few. Scores are means over the seeds that a row shares with the baseline; units
that are left out of the score have no part.
"""

from statistics import median

from ablate.analysis.outcome import StudyAnalysis, VariantAnalysis

Scores = dict[tuple[str, int], float]
"""Session and unit -> score."""


def unit_scores(analysis: StudyAnalysis, row: VariantAnalysis) -> Scores:
    """Empty where no per-unit scores were read. The baseline is read off the row that shares most seeds with it."""
    if row.role == "baseline":
        fullest = max(analysis.rows, key=lambda other: (bool(other.units), other.seeds_done), default=row)
        return {(unit.session, unit.unit): unit.baseline for unit in fullest.units}
    return {(unit.session, unit.unit): unit.score for unit in row.units}


def median_over_units(analysis: StudyAnalysis, row: VariantAnalysis) -> float | None:
    """None where no unit's score is known."""
    scores = unit_scores(analysis, row)
    return median(scores.values()) if scores else None


def compared_reference(analysis: StudyAnalysis) -> VariantAnalysis | None:
    """The reference that rows are held against unit by unit: the gap's target, or else the one that scores best."""
    if analysis.target is not None:
        return analysis.row(analysis.target)
    scored = [(row.score.mean, row) for row in analysis.references if row.score is not None and row.units]
    return max(scored, key=lambda pair: pair[0])[1] if scored else None


def above_reference(analysis: StudyAnalysis, row: VariantAnalysis) -> tuple[int, int] | None:
    """(units on which the row scores above the reference, units that both have); None without either."""
    reference = compared_reference(analysis)
    if reference is None or row.name == reference.name:
        return None
    own, other = unit_scores(analysis, row), unit_scores(analysis, reference)
    shared = own.keys() & other.keys()
    return (sum(own[place] > other[place] for place in shared), len(shared)) if shared else None
