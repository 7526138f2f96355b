"""Which rows are looked at more closely: the best variant, what it is compared with, and what a figure must hold."""

from ablate.analysis.outcome import StudyAnalysis, VariantAnalysis


def best_row(analysis: StudyAnalysis) -> VariantAnalysis | None:
    """The winner; where none is named, the patch with the greatest gain as it was measured."""
    if analysis.winner is not None:
        return analysis.row(analysis.winner)
    gained = by_gain(analysis)
    return gained[0] if gained else None


def by_gain(analysis: StudyAnalysis) -> list[VariantAnalysis]:
    """The patches that can be compared, by the gain that was measured, the greatest first."""
    known = [(row.gain.mean, row) for row in analysis.rows if row.role == "variant" and row.gain is not None]
    return [row for _, row in sorted(known, key=lambda pair: -pair[0])]


def main_rows(analysis: StudyAnalysis) -> tuple[VariantAnalysis, ...]:
    """Baseline, every reference that was trained, the best variant: each once."""
    best = best_row(analysis)
    references = [row for row in analysis.references if row.score is not None]
    rows = (analysis.row(analysis.baseline_name), *references, *([best] if best is not None else []))
    return tuple(dict.fromkeys(rows))


def drawn_rows(analysis: StudyAnalysis, most: int) -> list[VariantAnalysis]:
    """The winner first, then the best patches up to `most`; after them all references and controls, which no figure
    leaves out, and the baseline.
    """
    best = best_row(analysis)
    patches = dict.fromkeys(row.name for row in (*([best] if best else []), *by_gain(analysis)))
    beside = [row for role in ("reference", "control", "baseline") for row in analysis.rows if row.role == role]
    return [*(analysis.row(name) for name in list(patches)[:most]), *beside]
