"""What every scorer does. It is built with the data's spec and the fewest spikes of a unit that is scored."""

from typing import Protocol, runtime_checkable

from torch import Tensor

from ablate.contract import Attainable, Batch
from ablate.result.record import Score
from ablate.training.score.table import EntryTable


@runtime_checkable
class Scorer(Protocol):
    """Gathers what a score needs of the batches of a split, in any order."""

    def add(self, predictions: tuple[Tensor, ...], batch: Batch) -> None: ...

    def merge(self, other: object) -> None:  # of its own class: beartype knows no `Self` in a method
        """Takes in what another scorer gathered of other batches of the same split."""
        ...

    def units(self) -> EntryTable:
        """Every entry's gain, weight, and whether it is excluded."""
        ...

    def score(
        self, scored_hash: str, attainable: Attainable | None = None, floor: Attainable | None = None
    ) -> Score: ...
