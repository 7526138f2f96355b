"""The parser's events in, the tree out. Tags, merge keys, second documents and whatever grows when read are refused."""

import unicodedata
from collections.abc import Iterator
from dataclasses import replace

from ruamel.yaml.events import (
    AliasEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from ablate.errors import AblateError, Problems
from ablate.recipe.tree.node import Node, shortened
from ablate.recipe.tree.scalar import Scalar, scalar

MAX_NODES = 100_000  # after aliases are expanded: ten levels of ten aliases would make 10^10
MAX_DEPTH = 40
HIDDEN = ("Zs", "Cf", "Cc")  # Unicode categories: spaces, marks without a shape, control characters


class TreeBuilder:
    """Builds the tree from the parser's events."""

    def __init__(self, name: str, numbered: bool, problems: Problems):
        self.name = name
        self.numbered = numbered
        self.problems = problems
        self.anchors: dict[str, tuple[Node, int]] = {}
        self.nodes = 0

    def document(self, events: Iterator[Event]) -> Node | None:
        root, documents = None, 0
        for event in events:
            if isinstance(event, StreamEndEvent):
                break
            if isinstance(event, DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise AblateError(
                        "a second document starts here", where=self._where(event), hint="write one recipe a file"
                    )
            elif isinstance(event, ScalarEvent | SequenceStartEvent | MappingStartEvent | AliasEvent):
                root = self._value(event, events, "", depth=0)
        return None if root is None or root.value is None else root

    def _value(self, event: Event, events: Iterator[Event], path: str, depth: int) -> Node:
        where, before = self._where(event), self.nodes
        if isinstance(event, AliasEvent):
            return self._alias(event, path)
        self._count(1, where)
        if depth > MAX_DEPTH:
            raise AblateError(f"more than {MAX_DEPTH} levels of nesting", where=where)
        if isinstance(event, ScalarEvent | CollectionStartEvent) and event.tag is not None:
            self.problems.fault(
                f"the tag `{shortened(str(event.tag))}` is not read",
                where,
                "a recipe holds plain values: leave the tag out",
            )
        if isinstance(event, SequenceStartEvent):
            node = Node(self._sequence(events, path, depth), where, path)
        elif isinstance(event, MappingStartEvent):
            node = Node(self._mapping(events, path, depth), where, path)
        else:
            assert isinstance(event, ScalarEvent), "nothing else stands where a value is"
            node = Node(self._scalar(event, where), where, path)
        if event.anchor is not None:
            self.anchors[event.anchor] = (node, self.nodes - before)
        return node

    def _scalar(self, event: ScalarEvent, where: str) -> Scalar:
        plain = event.style is None
        try:
            return scalar(event.value) if plain else event.value
        except ValueError:  # Python refuses whole numbers of more than a few thousand digits
            self.problems.fault("this number is too large", where, "")
            return None

    def _alias(self, event: AliasEvent, path: str) -> Node:
        where = self._where(event)
        if event.anchor not in self.anchors:
            raise AblateError(f"the alias `*{event.anchor}` has no anchor `&{event.anchor}` before it", where=where)
        node, size = self.anchors[event.anchor]
        self._count(size, where)
        return replace(node.at(path), where=where)

    def _sequence(self, events: Iterator[Event], path: str, depth: int) -> tuple[Node, ...]:
        items: list[Node] = []
        for event in events:
            if isinstance(event, SequenceEndEvent):
                break
            items.append(self._value(event, events, f"{path}[{len(items) + 1}]", depth + 1))
        return tuple(items)

    def _mapping(self, events: Iterator[Event], path: str, depth: int) -> dict[str, Node]:
        entries: dict[str, Node] = {}
        for event in events:
            if isinstance(event, MappingEndEvent):
                break
            where = self._where(event)
            key = self._key(event, events, depth)
            inner = f"{path}.{key}" if path else key
            node = replace(self._value(next(events), events, inner, depth + 1), where=where)
            if key == "<<":
                self.problems.fault(
                    "merge keys (`<<`) are not part of YAML 1.2", where, "write the keys out, or make them a patch"
                )
            elif key in entries:
                first = entries[key].where.rpartition(":")[2]
                self.problems.fault(f"`{inner}` is written twice (first on line {first})", where, "keep one of the two")
            else:
                entries[key] = node
        return entries

    def _key(self, event: Event, events: Iterator[Event], depth: int) -> str:
        if not isinstance(event, ScalarEvent):
            raise AblateError("a key must be a word", where=self._where(event), hint="write `key: value`")
        if event.tag is not None:
            what = f"the tag `{shortened(str(event.tag))}` is not read"
            self.problems.fault(what, self._where(event), "leave the tag out")
        return self._visible(str(event.value), self._where(event))

    def _visible(self, key: str, where: str) -> str:
        """The key without characters that nobody sees, which are a problem: a no-break space comes from a web page."""
        hidden = sorted({one for one in key if one != " " and unicodedata.category(one) in HIDDEN})
        if hidden:
            names = ", ".join(f"U+{ord(one):04X}" for one in hidden)
            seen = "".join(" " if unicodedata.category(one) == "Zs" else one for one in key)
            seen = "".join(one for one in seen if unicodedata.category(one) not in HIDDEN[1:]).strip()
            what = f"the key `{shortened(seen)}` holds a character that cannot be seen ({names})"
            self.problems.fault(what, where, "type it again; YAML indents by plain spaces")
            return seen
        return key

    def _count(self, nodes: int, where: str) -> None:
        self.nodes += nodes
        if self.nodes > MAX_NODES:
            raise AblateError(
                f"the file expands to more than {MAX_NODES} values", where=where, hint="use fewer aliases (`*name`)"
            )

    def _where(self, event: Event) -> str:
        return f"{self.name}:{event.start_mark.line + 1}" if self.numbered else self.name
