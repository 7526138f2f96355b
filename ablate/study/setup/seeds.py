"""The seeds of a study: those of its looks, and those that chose something before it."""

from collections.abc import Collection, Sequence

from ablate.analysis.words import spans
from ablate.errors import Problem
from ablate.recipe import Recipe
from ablate.result import (
    Schedule,
)


def schedule_of(seeds: Sequence[int], taken: Collection[int] = ()) -> Schedule:
    """The looks of a study that is run until settled: the recipe's seeds first, then the next that it does not name.

    taken: seeds of its confirmations, which must choose nothing, and seeds that were looked at before.
    """
    most = Schedule(seeds=()).looks[-1]
    more = [seed for seed in range(most + max(seeds) + len(taken) + 1) if seed not in (*seeds, *taken)]
    return Schedule(seeds=(*seeds, *more)[:most])


def looked_at(recipe: Recipe) -> tuple[int, ...]:
    """The seeds that chose something before the study."""
    return recipe.looked_at.seeds if recipe.looked_at else ()


def seen_before(recipe: Recipe, seeds: Sequence[int]) -> list[Problem]:
    """A notice where a study uses seeds that its recipe calls looked at."""
    used = [seed for seed in seeds if seed in looked_at(recipe)]
    if not used or recipe.looked_at is None:
        return []
    what = f"the study uses seed{'s' if len(used) > 1 else ''} {spans(used)}, looked at before ({recipe.looked_at.why})"
    return [
        Problem(what, "looked_at", "choose other seeds: gains over a baseline that was chosen on these are too small")
    ]
