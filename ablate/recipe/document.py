"""YAML text in, plain values out, each with the line it was written on.

The file is data from a stranger: tags, merge keys and several documents are refused, and so is whatever grows when
it is read (aliases of aliases). Scalars follow the core schema of YAML 1.2, where `off` and `no` are text and
`1e-3` is a number; YAML 1.1 reads them as false and as text.
"""

import math
import re
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from ablate.errors import AblateError, Problem

MAX_BYTES = 512 * 1024  # a recipe is written by a person; the largest shipped one has a few kilobytes
MAX_NODES = 100_000  # after aliases are expanded: ten levels of ten aliases would make 10^10
MAX_DEPTH = 40

Scalar = str | int | float | bool | None

INTEGER = re.compile(r"[-+]?[0-9]+")
OCTAL, HEXADECIMAL = re.compile(r"0o[0-7]+"), re.compile(r"0x[0-9a-fA-F]+")
WHOLE_POWER = re.compile(r"([-+]?[0-9]+)[eE]\+?([0-9]{1,2})")
DECIMAL = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
INFINITE, NOT_A_NUMBER = re.compile(r"[-+]?\.(inf|Inf|INF)"), re.compile(r"\.(nan|NaN|NAN)")
WORDS: dict[str, Scalar] = {"": None, "~": None, "null": None, "Null": None, "NULL": None}
WORDS |= {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}


@dataclass(frozen=True)
class Node:
    """One value of a recipe and where it was written.

    value: a scalar, a tuple of nodes, or a mapping from key to node. where: `recipes/x.yaml:31`. path: the key path as
    written, `patches.p2.modulator.hidden_dim`.
    """

    value: Any
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
        """The same tree, told under another path."""
        moved = replace(self, path=path)
        if self.is_mapping:
            return replace(moved, value={key: node.at(f"{path}.{key}") for key, node in self.value.items()})
        return moved

    def plain(self) -> Any:
        """The value alone: dicts, lists, scalars."""
        if isinstance(self.value, dict):
            return {key: node.plain() for key, node in self.value.items()}
        if isinstance(self.value, tuple):
            return [node.plain() for node in self.value]
        return self.value


def read_document(path: Path) -> Node:
    """The file's tree. Raises AblateError for whatever keeps it from being read."""
    return parse(read_text(path), str(path))


def read_text(path: Path) -> str:
    """The file's text. Raises AblateError: missing, a folder, unreadable, too large, not text."""
    name = str(path).replace("\0", "\\0")
    try:
        if not path.exists():
            raise AblateError(
                "no such file", where=name, hint="give the path of a recipe, for example recipes/quickstart.yaml"
            )
        if not path.is_file():
            raise AblateError("this is not a file", where=name, hint="give the path of one YAML file")
        if path.stat().st_size > MAX_BYTES:
            raise AblateError(f"the file is larger than {MAX_BYTES // 1024} KiB, too large for a recipe", where=name)
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise AblateError("this is not a text file in UTF-8", where=name, hint="a recipe is a YAML file") from error
    except (OSError, ValueError) as error:  # ValueError: a null byte in the path
        raise AblateError(f"cannot be read ({_reason(error)})", where=name) from error


def parse(text: str, name: str) -> Node:
    """The tree of a YAML text whose top level is a mapping; `name` stands before the line in messages."""
    root = parse_value(text, name)
    if root is None:
        raise AblateError(
            "the file is empty", where=name, hint="a recipe starts with name, question, data, and baseline"
        )
    if not root.is_mapping:
        raise AblateError(
            f"the top level is {kind(root)}, expected a mapping",
            where=name,
            hint="a recipe is made of lines such as `name: my_study`",
        )
    return root


def parse_value(text: str, name: str, *, numbered: bool = True) -> Node | None:
    """The tree of any YAML text; None when it holds nothing. numbered: whether places carry a line."""
    builder = _Builder(name, numbered)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # ruamel warns of anchors written twice: the later one wins, as in YAML
            root = builder.document(YAML(typ="safe", pure=True).parse(text))
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{name}:{mark.line + 1}" if mark and numbered else name
        what = " ".join(str(part) for part in (error.context, error.problem) if part)
        hint = "YAML indents by spaces and writes `key: value` with a space after the colon"
        raise AblateError(f"this is not YAML: {what}", where=where, hint=hint) from error
    except YAMLError as error:
        raise AblateError(f"this is not YAML: {str(error).splitlines()[0]}", where=name) from error
    except AblateError:
        raise
    except Exception as error:  # the parser itself fails on some broken input; that is still the file's fault
        raise AblateError(f"this is not YAML ({type(error).__name__})", where=name) from error
    if builder.problems:
        raise AblateError(problems=tuple(builder.problems))
    return root


def kind(node: Node) -> str:
    """What a node holds, in plain words: `a list`, `the text `off``."""
    if node.is_mapping:
        return "a mapping"
    if node.is_list:
        return "a list"
    return describe_scalar(node.value)


def describe_scalar(value: Any) -> str:
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return _short(str(value))
    return f"the text `{_short(str(value))}`"


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."


class _Builder:
    """Builds the tree from the parser's events."""

    def __init__(self, name: str, numbered: bool):
        self.name = name
        self.numbered = numbered
        self.problems: list[Problem] = []
        self.anchors: dict[str, tuple[Node, int]] = {}
        self.nodes = 0

    def document(self, events: Iterator[Any]) -> Node | None:
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

    def _value(self, event: Any, events: Iterator[Any], path: str, depth: int) -> Node:
        where, before = self._where(event), self.nodes
        if isinstance(event, AliasEvent):
            return self._alias(event, path)
        self._count(1, where)
        if depth > MAX_DEPTH:
            raise AblateError(f"more than {MAX_DEPTH} levels of nesting", where=where)
        if getattr(event, "tag", None) is not None:
            self._problem(
                f"the tag `{_short(str(event.tag))}` is not read",
                where,
                "a recipe holds plain values: leave the tag out",
            )
        if isinstance(event, SequenceStartEvent):
            value: Any = self._sequence(events, path, depth)
        elif isinstance(event, MappingStartEvent):
            value = self._mapping(events, path, depth)
        else:
            value = self._scalar(event, where)
        node = Node(value, where, path)
        if event.anchor is not None:
            self.anchors[event.anchor] = (node, self.nodes - before)
        return node

    def _scalar(self, event: Any, where: str) -> Scalar:
        plain = event.style is None
        try:
            return scalar(event.value) if plain else event.value
        except ValueError:  # Python refuses whole numbers of more than a few thousand digits
            self._problem("this number is too large", where, "")
            return None

    def _alias(self, event: Any, path: str) -> Node:
        where = self._where(event)
        if event.anchor not in self.anchors:
            raise AblateError(f"the alias `*{event.anchor}` has no anchor `&{event.anchor}` before it", where=where)
        node, size = self.anchors[event.anchor]
        self._count(size, where)
        return replace(node.at(path), where=where)

    def _sequence(self, events: Iterator[Any], path: str, depth: int) -> tuple[Node, ...]:
        items: list[Node] = []
        for event in events:
            if isinstance(event, SequenceEndEvent):
                break
            items.append(self._value(event, events, f"{path}[{len(items) + 1}]", depth + 1))
        return tuple(items)

    def _mapping(self, events: Iterator[Any], path: str, depth: int) -> dict[str, Node]:
        entries: dict[str, Node] = {}
        for event in events:
            if isinstance(event, MappingEndEvent):
                break
            where = self._where(event)
            key = self._key(event, events, depth)
            inner = f"{path}.{key}" if path else key
            node = replace(self._value(next(events), events, inner, depth + 1), where=where)
            if key == "<<":
                self._problem(
                    "merge keys (`<<`) are not part of YAML 1.2", where, "write the keys out, or make them a patch"
                )
            elif key in entries:
                first = entries[key].where.rpartition(":")[2]
                self._problem(f"`{inner}` is written twice (first on line {first})", where, "keep one of the two")
            else:
                entries[key] = node
        return entries

    def _key(self, event: Any, events: Iterator[Any], depth: int) -> str:
        if not isinstance(event, ScalarEvent):
            raise AblateError("a key must be a word", where=self._where(event), hint="write `key: value`")
        if event.tag is not None:
            self._problem(f"the tag `{_short(str(event.tag))}` is not read", self._where(event), "leave the tag out")
        return str(event.value)

    def _count(self, nodes: int, where: str) -> None:
        self.nodes += nodes
        if self.nodes > MAX_NODES:
            raise AblateError(
                f"the file expands to more than {MAX_NODES} values", where=where, hint="use fewer aliases (`*name`)"
            )

    def _problem(self, what: str, where: str, hint: str) -> None:
        self.problems.append(Problem(what, where, hint))

    def _where(self, event: Any) -> str:
        return f"{self.name}:{event.start_mark.line + 1}" if self.numbered else self.name


def scalar(text: str) -> Scalar:
    """A plain scalar by the core schema of YAML 1.2; `3e4` is read as the whole number that it is."""
    if text in WORDS:
        return WORDS[text]
    if INTEGER.fullmatch(text):
        return int(text)
    if OCTAL.fullmatch(text) or HEXADECIMAL.fullmatch(text):
        return int(text, 0)
    if power := WHOLE_POWER.fullmatch(text):
        return int(power[1]) * 10 ** int(power[2])
    if DECIMAL.fullmatch(text):
        return float(text)
    if INFINITE.fullmatch(text):
        return -math.inf if text.startswith("-") else math.inf
    return math.nan if NOT_A_NUMBER.fullmatch(text) else text


def _reason(error: BaseException) -> str:
    return str(getattr(error, "strerror", None) or error)
