"""A study's plan and its run records in, a `StudyAnalysis` out."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from ablate.analysis.outcome import StudyAnalysis
from ablate.result.manifest import StudyManifest
from ablate.result.record import RunRecord

UnitsLoader = Callable[[str], Mapping[str, Any] | None]
"""Run key -> content of `units.json`, or None where it is missing."""
HistoryLoader = Callable[[str], Sequence[Mapping[str, Any]] | None]
"""Run key -> lines of `history.jsonl`, or None where it is missing."""


def analyse(
    manifest: StudyManifest,
    records: Iterable[RunRecord],
    *,
    units: UnitsLoader | None = None,
    history: HistoryLoader | None = None,
) -> StudyAnalysis:
    """Without `units` the second interval and the per-unit breakdown are None and empty; without `history` so are the curves."""
    raise NotImplementedError
