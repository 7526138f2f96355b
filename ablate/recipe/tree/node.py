"""One value of a recipe, with the place where it was written."""

from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True)
class Node:
    """One value of a recipe and where it was written.

    value: a scalar, a tuple of nodes, or a mapping from key to node. where: `recipes/x.yaml:31`. path: the key path as
    written, `patches.p2.modulator.hidden_dim`.
    """

    value: Any  # one of the three above: `is_mapping` and `is_list` tell which
    where: str = ""
    path: str = ""

    @property
    def is_mapping(self) -> bool:
        return isinstance(self.value, dict)

    @property
    def is_list(self) -> bool:
        return isinstance(self.value, tuple)

    def get(self, key: str) -> "Node | None":
        return self.value.get(key) if isinstance(self.value, dict) else None

    def at(self, path: str) -> "Node":
        """The same tree, named under another path."""
        moved = replace(self, path=path)
        if self.is_mapping:
            return replace(moved, value={key: node.at(f"{path}.{key}") for key, node in self.value.items()})
        return moved

    def plain(self) -> object:
        """The value alone: dicts, lists, scalars."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, tuple):
            return [node.plain() for node in self.value]
        return self.value


def kind(node: Node) -> str:
    """What a node holds, in plain words: `a list`, `the text `off``."""
    if node.is_mapping:
        return "a mapping"
    if node.is_list:
        return "a list"
    return describe_scalar(node.value)


def describe_scalar(value: object) -> str:
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return shortened(str(value))
    return f"the text `{shortened(str(value))}`"


def shortened(text: str) -> str:
    """As much of a text as a message has room for."""
    return text if len(text) <= 60 else text[:57] + "..."
