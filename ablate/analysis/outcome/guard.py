"""When a number must not be read as an answer."""

from dataclasses import dataclass
from typing import Literal

GuardKind = Literal[
    "control moved",
    "looked at",
    "below the floor",
    "near the ceiling",
    "small denominator",
    "lost pairs",
    "still learning",
    "plateau",
    "taught unequally",
    "spread",
    "few sessions",
    "step in time",
    "splits differ",
]


@dataclass(frozen=True)
class Guard:
    """A reason to doubt, as a sentence. row: the variant that it is about; None for the whole study."""

    kind: GuardKind
    row: str | None
    sentence: str
    detail: str = ""
    """What differs from row to row where rows share a sentence."""
