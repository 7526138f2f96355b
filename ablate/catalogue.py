"""A part that a recipe can name, with its options, as `ablate parts` lists it: texts, for which nothing is loaded."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Option:
    """One thing that may be written under a part."""

    name: str
    type: str
    default: str
    help: str


@dataclass(frozen=True)
class Part:
    """kind: the key it is written under. places: where in a recipe, each of them."""

    kind: str
    type: str
    places: tuple[str, ...]
    summary: str
    options: tuple[Option, ...]

    @property
    def at(self) -> str:
        """The first place."""
        return self.places[0]

    @property
    def name(self) -> str:
        return self.type or self.kind
