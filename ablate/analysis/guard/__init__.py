"""Takes an analysed study, gives the guards that it trips: the gravest first."""

from ablate.analysis.cells import Cells
from ablate.analysis.guard.learning import plateaus, still_learning
from ablate.analysis.guard.noise import moved_controls, unlike_spreads
from ablate.analysis.guard.scale import below_the_floor, few_sessions, near_the_ceiling, small_denominator
from ablate.analysis.guard.seeds import looked_at_before
from ablate.analysis.guard.teaching import lost_pairs, taught_unequally
from ablate.analysis.guard.time import steps_in_time, unlike_splits
from ablate.analysis.outcome import StudyAnalysis
from ablate.analysis.outcome.guard import Guard
from ablate.result.manifest import LookedAt


def guards_of(
    analysis: StudyAnalysis, cells: Cells, *, relative: bool, looked_at: LookedAt | None = None
) -> tuple[Guard, ...]:
    """relative: whether the baseline may stand in a denominator. looked_at: seeds that chose something before."""
    return (
        *moved_controls(analysis),
        *looked_at_before(analysis, looked_at),
        *below_the_floor(analysis),
        *near_the_ceiling(analysis, relative=relative),
        *small_denominator(analysis, relative=relative),
        *lost_pairs(analysis, cells),
        *taught_unequally(analysis, cells),
        *still_learning(analysis),
        *plateaus(analysis),
        *unlike_spreads(analysis),
        *steps_in_time(analysis),
        *unlike_splits(analysis, cells),
        *few_sessions(analysis),
    )
