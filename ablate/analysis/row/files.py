"""What lies beside the records of a study, as the analysis asks for it: by run key, None where it is missing."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypedDict, TypeVar

from ablate.disk.read import Json
from ablate.errors import AblateError
from ablate.result import Store

T = TypeVar("T")

UnitsLoader = Callable[[str], object]
"""Run key -> content of `units.json`."""
HistoryLoader = Callable[[str], Sequence[Json] | None]
"""Run key -> lines of `history.jsonl`."""


class Files(TypedDict):
    """The loaders that `analyse` takes."""

    units: UnitsLoader
    scores: UnitsLoader
    history: HistoryLoader


def files_of(store: Store) -> Files:
    """Those of a study's folder. A run whose per-unit table or curve is damaged loses these alone."""
    return Files(
        units=quietly(store.units),
        scores=quietly(partial(store.units, scores_alone=True)),
        history=quietly(partial(store.history, scored=True)),
    )


def quietly(load: Callable[[str], T]) -> Callable[[str], T | None]:
    """None where it cannot be read."""

    def loader(key: str) -> T | None:
        try:
            return load(key)
        except AblateError:
            return None

    return loader
