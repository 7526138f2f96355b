"""Takes an analysed study, gives the guards that it trips: the gravest first."""

from ablate.analysis.cells import Cells
from ablate.analysis.guard.learning import plateaus, still_learning
from ablate.analysis.guard.noise import moved_controls, unlike_spreads
from ablate.analysis.guard.scale import below_the_floor, few_sessions, small_denominator
from ablate.analysis.guard.teaching import lost_pairs, taught_unequally
from ablate.analysis.outcome import StudyAnalysis
from ablate.analysis.outcome.guard import Guard


def guards_of(analysis: StudyAnalysis, cells: Cells, *, relative: bool) -> tuple[Guard, ...]:
    """relative: whether the baseline may stand in a denominator."""
    return (
        *moved_controls(analysis),
        *below_the_floor(analysis),
        *small_denominator(analysis, relative=relative),
        *lost_pairs(analysis, cells),
        *still_learning(analysis),
        *plateaus(analysis),
        *taught_unequally(analysis, cells),
        *unlike_spreads(analysis),
        *few_sessions(analysis),
    )
