"""A variant: the baseline with patches applied in order, validated again; and all the variants of a study."""

from collections.abc import Mapping
from dataclasses import dataclass

from ablate.recipe import Configuration
from ablate.recipe.schema import Range
from ablate.result.manifest import Role
from ablate.variant.diff import Differences, changes, differences


@dataclass(frozen=True)
class Variant:
    """The baseline with patches applied in order: a full, validated configuration.

    parent: the configuration without the last patch (None for the baseline): what the no-op test compares with.
    aliases: other names under which the same configuration was asked for. where: the place in the recipe.
    """

    name: str
    role: Role
    configuration: Configuration
    title: str = ""
    patches: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    strategies: tuple[str, ...] = ()
    expect: Range | None = None
    expect_cost: Mapping[str, float] | None = None
    parent: Configuration | None = None
    allow_noop: bool = False
    where: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name, *self.aliases)

    def differences(self, baseline: Configuration) -> Differences:
        """Key path -> (the baseline's value, this variant's value)."""
        return differences(baseline, self.configuration)

    def changes(self, baseline: Configuration) -> str:
        """What it changes, in a few words."""
        return changes(self.differences(baseline))


@dataclass(frozen=True)
class Layout:
    """All variants of a study in the order in which they run, and the ladders by names of variants."""

    variants: tuple[Variant, ...]
    ladders: tuple[tuple[str, ...], ...] = ()
