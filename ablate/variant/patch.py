"""A configuration's tree and patches in, the patched tree out; refused where patches contradict each other or no
longer apply.

The merge itself is `ablate.recipe.tree.merge`: mappings deep, lists whole, another `type` replaces the part, null
restores the default.
"""

from collections.abc import Sequence

from ablate.errors import Problem
from ablate.recipe import Patch
from ablate.recipe.fragment import leaves
from ablate.recipe.tree.merge import merge, replaces
from ablate.recipe.tree.node import Node

Place = tuple[str, ...]


def apply(base: Node, patches: Sequence[Patch]) -> Node:
    """The base with the patches laid over it, in order."""
    for patch in patches:
        base = merge(base, patch.tree)
    return base


def touched(base: Node, fragment: Node, place: Place = ()) -> list[Place]:
    """The places that a fragment sets; a part that it replaces counts as one place."""
    if not fragment.is_mapping or (place and replaces(base, fragment)):
        return [place]
    inner = [touched(base.get(key) or Node(None), value, (*place, key)) for key, value in fragment.value.items()]
    return [found for places in inner for found in places]


def stale(base: Node, before: Node, patch: Patch) -> list[Problem]:
    """Values that are no longer what the patch was written against, neither in the baseline nor just before the
    patch."""
    problems = []
    for place in leaves(patch.was_tree) if patch.was_tree is not None else []:
        expected = at(patch.was_tree, place)
        standing = at(before, place)
        if expected is None or _same(standing, expected) or _same(at(base, place), expected):
            continue
        what = (
            f"patch `{patch.name}` no longer applies: `{path_text(place)}` was {value_text(expected)} when it was "
            f"written, and is {value_text(standing)} now"
        )
        problems.append(
            Problem(what, expected.where, "see whether the patch still says what it should, then correct `was`")
        )
    return problems


def conflicts(base: Node, patches: Sequence[Patch], variant: str) -> list[Problem]:
    """Pairs of patches of one variant that set the same key to different values, or one an ancestor of the other's."""
    problems = []
    for index, second in enumerate(patches):
        for first in patches[:index]:
            if first.order is not None and second.order is not None and first.order != second.order:
                continue
            clash = _clash(base, first, second)
            if clash is not None:
                what = (
                    f"patches `{first.name}` and `{second.name}` of variant `{variant}` both set `{path_text(clash)}`"
                )
                hint = (
                    f"write the variant as a list, whose order counts (`[{first.name}, {second.name}]`: "
                    f"`{second.name}` wins), or give both patches an `order:`"
                )
                problems.append(Problem(what, second.where, hint))
    return problems


def _clash(base: Node, first: Patch, second: Patch) -> Place | None:
    for one in touched(base, first.tree):
        for other in touched(base, second.tree):
            short, long = sorted((one, other), key=len)
            if long[: len(short)] != short:
                continue
            ones, others = at(first.tree, one), at(second.tree, other)
            if one != other or not _same(ones, others):
                return long
    return None


def at(tree: Node | None, place: Place) -> Node | None:
    for key in place:
        tree = tree.get(key) if tree is not None else None
    return tree


def path_text(place: Place) -> str:
    """A place as messages write it: `baseline.core.dropout`."""
    return ".".join(("baseline", *place[1:]) if place[:1] == ("model",) else place)


def value_text(node: Node | None) -> str:
    if node is None:
        return "not there"
    return "none" if node.value is None else str(node.plain()).replace("'", "")


def _same(first: Node | None, second: Node | None) -> bool:
    return first is not None and second is not None and first.plain() == second.plain()
