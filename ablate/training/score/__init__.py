"""Takes predictions batch by batch, gives a split's `Score` and the table of its scored entries.

Sums are accumulated in double precision and divided once, so the score does not depend on how a split is cut into
batches.
"""

from typing import Any, Protocol, runtime_checkable

from torch import Tensor

from ablate.contract import Batch, DataSpec, EncodingSpec
from ablate.result.record import Metric, Score
from ablate.training.score.correlation import CorrelationScorer
from ablate.training.score.labels import LabelScorer
from ablate.training.score.spikes import SpikeScorer
from ablate.training.score.table import Attainable, EntryTable, SessionEntries

__all__ = ["Attainable", "EntryTable", "Scorer", "SessionEntries", "scorer_for"]


@runtime_checkable
class Scorer(Protocol):
    """Gathers what a score needs of the batches of a split, in any order."""

    def add(self, predictions: tuple[Tensor, ...], batch: Batch) -> None: ...

    def merge(self, other: Any) -> None:
        """Takes in what another scorer gathered of other batches of the same split."""
        ...

    def units(self) -> EntryTable:
        """Every entry's gain, weight, and whether it is excluded."""
        ...

    def score(self, scored_hash: str, attainable: Attainable = None, floor: Attainable = None) -> Score: ...


def scorer_for(spec: DataSpec, *, min_spikes: int = 1, metric: Metric | None = None) -> Scorer:
    """The scorer of a task; `metric="correlation"` is for responses that are not counts."""
    if not isinstance(spec, EncodingSpec):
        return LabelScorer(spec)
    if metric == "correlation":
        return CorrelationScorer(spec)
    return SpikeScorer(spec, min_spikes)
