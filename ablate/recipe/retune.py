"""`retune:` of a recipe in, the values to search for each key out: numbers, or multiples of the baseline's value.

    retune: {training.learning_rate: [x/2, x, 2x], core.dropout: [0, 0.1]}

The baseline's own value is always one of them, and stands first.
"""

import re

from ablate.recipe.entry import Reading
from ablate.recipe.fragment import PatchReader, leaves
from ablate.recipe.resolve import validate
from ablate.recipe.schema import Retuned, placed
from ablate.recipe.tree.merge import merge
from ablate.recipe.tree.node import Node

MULTIPLE = re.compile(r"(?:(?P<times>\d*\.?\d+)\s*\*?\s*)?x(?:\s*(?P<sign>[/*])\s*(?P<by>\d*\.?\d+))?")
MOST_SETTINGS = 27
HINT = "a list of values, or of multiples of the baseline's: `retune: {training.learning_rate: [x/2, x, 2x]}`"


def retuned(node: Node | None, before: Node, reading: Reading) -> tuple[Retuned, ...]:
    """before: the baseline's full configuration. Whatever is wrong goes to the problems of `reading`."""
    if node is None or node.value is None:
        return ()
    if not node.is_mapping:
        reading.fault(node, "a mapping from a key to its values", HINT)
        return ()
    found = [_key(place, _at(node, place), before, reading) for place in leaves(node)]
    keys = tuple(key for key in found if key is not None)
    settings = 1
    for key in keys:
        settings *= len(key.values)
    if settings > MOST_SETTINGS:
        what = f"`{node.path}` has {settings} settings, and at most {MOST_SETTINGS} are searched"
        reading.problems.fault(what, node.where, "every setting is trained for the baseline and for each row ahead")
    return keys


def _key(place: tuple[str, ...], listed: Node, before: Node, reading: Reading) -> Retuned | None:
    """One key, written as a patch would write it."""
    wrong = len(reading.problems.found)
    tree = PatchReader(reading, before).fragment(_tree(place, Node(None, listed.where, listed.path)))
    if len(reading.problems.found) > wrong:
        return None
    if not listed.is_list or not listed.value:
        reading.fault(listed, "a list of values", HINT)
        return None
    path = leaves(tree)[0]
    own = _at(before, path)
    values = [own.value, *(value for item in listed.value if (value := _value(item, own.value, reading)) is not None)]
    unique = tuple(dict.fromkeys(values))
    for value in unique[1:]:
        validate(merge(before, placed(path, value, listed.where)), reading.problems)
    if len(unique) == 1 and len(reading.problems.found) == wrong:
        reading.fault(listed, "another value than the baseline's", HINT)
    return Retuned(".".join(place), path, unique)


def _value(item: Node, own: object, reading: Reading) -> object:
    """A value as it is written, or a multiple of the baseline's; None where it is wrong."""
    found = MULTIPLE.fullmatch(item.value.strip()) if isinstance(item.value, str) else None
    if found is None:
        if item.value is None or item.is_list or item.is_mapping:
            reading.fault(item, "a value", HINT)
            return None
        return item.value
    if not isinstance(own, int | float) or isinstance(own, bool):
        reading.fault(item, f"a value: the baseline's is {own!r}, which has no multiples")
        return None
    by = float(found["by"] or 1)
    value = own * float(found["times"] or 1) * (1 / by if found["sign"] == "/" else by)
    if isinstance(own, int):
        if value != int(value):
            reading.fault(item, f"a multiple of {own} that is a whole number")
            return None
        return int(value)
    return float(f"{value:.12g}")  # 3 * 0.1 is 0.3


def _at(node: Node, place: tuple[str, ...]) -> Node:
    for name in place:
        found = node.get(name)
        assert found is not None, "a leaf of this tree"
        node = found
    return node


def _tree(place: tuple[str, ...], leaf: Node) -> Node:
    for name in reversed(place):
        leaf = Node({name: leaf}, leaf.where, leaf.path)
    return leaf
