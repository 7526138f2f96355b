"""The entries of `variants` in, the combinations of patches that they ask for out, in order."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from ablate.errors import AblateError
from ablate.recipe import Patch, Recipe, Selection
from ablate.recipe.schema import Strategy

MOST_FACTORS = 8  # 2^8 = 256 variants; Shapley values are exact for k <= 5, and nobody reads a longer table


@dataclass(frozen=True)
class Combination:
    """One combination that was asked for.

    ordered: whether its author stated the order in which its patches apply (a list and a ladder do).
    """

    patches: tuple[str, ...]
    selection: Selection
    strategy: Strategy
    ordered: bool

    @property
    def name(self) -> str:
        return self.selection.name or "+".join(self.patches)


def combinations_of(selection: Selection, recipe: Recipe) -> list[Combination]:
    """The combinations of one entry. Raises AblateError if a factorial design is too large to run."""
    names = selection.patches if selection.patches is not None else _all(recipe)
    ordered = selection.strategy in ("ladder", "list")
    found = [
        Combination(patches, selection, selection.strategy, ordered) for patches in _combinations(selection, names)
    ]
    if selection.strategy == "each" and selection.patches is None:
        controls = [name for name, patch in recipe.patches.items() if is_control(patch)]
        found += [Combination((name,), selection, "each", False) for name in controls]
    return found


def is_control(patch: Patch) -> bool:
    """Controls stand alone: no strategy combines them with other patches."""
    return patch.control or patch.allow_noop


def _all(recipe: Recipe) -> tuple[str, ...]:
    """All patches that strategies combine: in the order of the file, or of `order` where it is given."""
    combined = [(name, patch) for name, patch in recipe.patches.items() if not is_control(patch)]
    places = {
        name: patch.order if patch.order is not None else index for index, (name, patch) in enumerate(combined, 1)
    }
    return tuple(sorted(places, key=places.__getitem__))


def _combinations(selection: Selection, names: Sequence[str]) -> Iterator[tuple[str, ...]]:
    if selection.strategy == "list":
        yield tuple(names)
    elif selection.strategy == "each":
        yield from ((name,) for name in names)
    elif selection.strategy == "ladder":
        yield from (tuple(names[:size]) for size in range(1, len(names) + 1))
    elif selection.strategy == "leave_one_out":
        if names:
            yield tuple(names)
        yield from (rest for left in names if (rest := tuple(name for name in names if name != left)))
    else:
        if len(names) > MOST_FACTORS:
            hint = f"name at most {MOST_FACTORS} patches: `{{factorial: [{', '.join(names[:3])}]}}`"
            raise AblateError(
                f"a factorial of {len(names)} patches makes {2 ** len(names)} variants",
                where=selection.where,
                hint=hint,
            )
        yield from (chosen for size in range(1, len(names) + 1) for chosen in combinations(names, size))
