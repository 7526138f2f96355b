"""What a search left of a row's gain."""

from dataclasses import dataclass

from ablate.analysis.outcome.interval import Gain
from ablate.analysis.outcome.verdict import Verdict


@dataclass(frozen=True)
class Retuned:
    """A row at its best setting beside the baseline at its own. best: key and value; empty while the search goes on.
    gain, verdict, survives: None until all runs have ended, and for the baseline. survives: the verdict is that of the
    study.
    """

    settings: int
    seeds: tuple[int, ...]
    runs_planned: int
    runs_ended: int
    best: tuple[tuple[str, str], ...] = ()
    best_index: int | None = None
    gain: Gain | None = None
    verdict: Verdict | None = None
    note: str = ""
    survives: bool | None = None
    at_edge: tuple[str, ...] = ()
    """Keys whose best value is the smallest or the largest that was tried: a better one may lie beyond."""

    @property
    def complete(self) -> bool:
        return self.best_index is not None and self.runs_ended == self.runs_planned

    @property
    def best_text(self) -> str:
        """`training.learning_rate 0.002`"""
        return ", ".join(f"{key} {value}" for key, value in self.best)
