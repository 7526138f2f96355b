"""Seeds that chose something before the study: what was chosen on them is too good there, the baseline above all."""

from collections.abc import Iterator

from ablate.analysis.outcome import StudyAnalysis
from ablate.analysis.outcome.guard import Guard
from ablate.analysis.words import spans
from ablate.result.manifest import LookedAt


def looked_at_before(analysis: StudyAnalysis, seen: LookedAt | None) -> Iterator[Guard]:
    """A regime that was chosen for its baseline was chosen for that baseline's luck as well, which every row shares."""
    used = [seed for seed in analysis.seeds if seen is not None and seed in seen.seeds]
    if used and seen is not None:
        yield Guard(
            "looked at",
            None,
            f"seed{'s' if len(used) > 1 else ''} {spans(used)} had been looked at before this study ({seen.why}): the "
            "baseline is expected to be too good on them, and so every gain too small.",
        )
