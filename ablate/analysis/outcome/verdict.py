"""The word for a row, and what fresh seeds say of it."""

from dataclasses import dataclass
from typing import Literal

from ablate.analysis.outcome.interval import Gain, Interval

Verdict = Literal["baseline", "reference", "helps", "hurts", "negligible", "no evidence", "invalid"]
Repeat = Literal["repeats", "weaker", "contradicted", "clearer"]
"""`repeats`: the fresh seeds alone give the same word. `weaker`: they cannot tell. `contradicted`: they give another
word. `clearer`: they give a word where the study could not tell."""


@dataclass(frozen=True)
class Confirmed:
    """A row on seeds that nothing had looked at. gain, verdict, note and repeat are of these seeds alone, and are None
    and empty until all of its runs have ended, so that nobody looks early.

    seeds: the planned ones. goes: how often the row was tried; p and interval count them all (Bonferroni). change: the
    gain on these seeds minus the one that was chosen, with its interval (Welch), relative where both are.
    """

    seeds: tuple[int, ...]
    runs_planned: int
    runs_ended: int
    goes: int = 1
    gain: Gain | None = None
    verdict: Verdict | None = None
    note: str = ""
    repeat: Repeat | None = None
    change: float | None = None
    change_interval: Interval | None = None
    change_is_relative: bool = False
