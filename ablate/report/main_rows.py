"""The rows that a report shows in detail: the baseline, the reference that the gap is measured to, the best variant."""

from ablate.analysis import StudyAnalysis, VariantAnalysis


def main_rows(analysis: StudyAnalysis) -> tuple[VariantAnalysis, ...]:
    """Each once. The best variant is the winner, or where nothing may be called so the first of the ranking."""
    best = analysis.winner or next((row.name for row in analysis.rows if row.role == "variant" and row.score), None)
    names = dict.fromkeys((analysis.baseline_name, analysis.target, best))
    return tuple(analysis.row(name) for name in names if name is not None)
