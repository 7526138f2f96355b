"""A tree as written in, the tree in its normal form out: one spelling for each option, unknown keys named.

The notes' spellings are read: `convnet` is `core`, `{type: x, params: {...}}` is the flat form, `modulator: none`
is `modulator: {type: none}`, `tokenizer.kernel_size: ...` is the nested form.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from pydantic.fields import FieldInfo

from ablate.errors import Problem, Problems
from ablate.recipe.tree.node import Node
from ablate.recipe.vocabulary.explain import config_of, did_you_mean, nearest, unknown_type
from ablate.recipe.vocabulary.fields import ConfigClass, accepts_none, alternatives, default_type, words

SYNONYMS: Mapping[str, str] = {"convnet": "core", "is_causal": "spatial_causal"}
"""The notes' words for options of ours; read wherever ours is an option and theirs is not."""

DEFAULT_TYPE = "encoder"
"""The notes' snippets name no type of model: they are all encoders."""

INFERRED: Mapping[str, str] = {"feature_dim": "the width of the features follows from the core"}
"""The notes' words for what `ablate` works out itself; read and named, never silently."""


@dataclass
class Normalizer:
    """Brings trees into their normal form; words that mean nothing there, or say a thing twice, go to `problems`.

    strict: whether an option that only another type of the same part has is refused (in a patch it may meet that type
    in a later combination, so it is checked when the variants are made).
    """

    problems: Problems
    strict: bool = True
    keep_null: bool = False
    """In a patch null stands for the default and is kept for the merge; in a baseline it is left out here."""

    def part(self, node: Node, annotation: object, before: Node | None = None) -> Node:
        """The normal form of what stands in a field; `before` is what the patched tree holds there."""
        tagged = alternatives(annotation)
        if isinstance(node.value, str) and node.value in words(annotation):
            return node
        if isinstance(node.value, str) and tagged:
            node = replace(node, value={"type": replace(node, path=f"{node.path}.type")})
        if not node.is_mapping or not (tagged or config_of(annotation, node)):
            return node
        node = self._fold_params(nested(node, self.problems), tagged, before)
        if tagged:
            return self._tagged(node, annotation, tagged, before)
        config = config_of(annotation, node)
        return self._fields(node, config, (), before) if config else node

    def _tagged(self, node: Node, annotation: object, tagged: Mapping[str, ConfigClass], before: Node | None) -> Node:
        written, earlier = node.get("type"), before.get("type") if before is not None else None
        if written is not None and (not isinstance(written.value, str) or written.value not in tagged):
            self.problems.unknown.append(unknown_type(written, written.plain(), (*words(annotation), *tagged)))
            return node
        name = written.value if written else earlier.value if earlier else self._default(annotation, tagged)
        if not isinstance(name, str) or name not in tagged:
            return node  # found as a missing `type` when the whole is validated
        others = tuple(tagged.values())
        normal = self._fields(node, tagged[name], others, before if earlier and earlier.value == name else None)
        if written is None and earlier is None:
            normal.value["type"] = Node(name, node.where, f"{node.path}.type")
        return normal

    def _default(self, annotation: object, tagged: Mapping[str, ConfigClass]) -> str | None:
        default = default_type(annotation) if isinstance(annotation, FieldInfo) else None
        return default or (DEFAULT_TYPE if DEFAULT_TYPE in tagged else None)

    def _fields(self, node: Node, config: ConfigClass, others: tuple[ConfigClass, ...], before: Node | None) -> Node:
        fields, entries = config.model_fields, dict[str, Node]()
        for written, value in node.value.items():
            name = SYNONYMS[written] if written not in fields and SYNONYMS.get(written) in fields else written
            known = next((kind for kind in (config, *others) if name in kind.model_fields), None)
            if known is not None and known is not config and self._misplaced(node, name, value, config, others):
                continue
            if known is None:
                self._unknown(written, value, config)
            elif name in entries:
                what = f"`{value.path}` and `{entries[name].path}` say the same thing"
                self.problems.unknown.append(Problem(what, value.where, "keep one of the two"))
            elif value.value is None and not self.keep_null:
                if accepts_none(fields[name]):
                    entries[name] = value
            else:
                entries[name] = self.part(value, known.model_fields[name], before.get(name) if before else None)
        return replace(node, value=entries)

    def _misplaced(
        self, node: Node, name: str, value: Node, config: ConfigClass, others: tuple[ConfigClass, ...]
    ) -> bool:
        """Whether an option that only another type of this part has is wrong here; a problem if so."""
        if not self.strict and node.get("type") is None:
            return False
        if nearest(name, config.model_fields):  # rather misspelt
            self._unknown(name, value, config)
            return True
        owners = [type_of(other) for other in others if name in other.model_fields]
        what = f"unknown key `{value.path}`: type {type_of(config)} has no `{name}`"
        self.problems.unknown.append(Problem(what, value.where, f"types that have it: {', '.join(owners)}"))
        return True

    def _unknown(self, name: str, value: Node, config: ConfigClass) -> None:
        if name in INFERRED and "modulator" in value.path.split("."):
            what = f"`{value.path}` is not read: {INFERRED[name]}"
            self.problems.notices.append(Problem(what, value.where, "leave it out"))
            return
        self.problems.unknown.append(unknown_key(value, name, tuple(config.model_fields)))

    def _fold_params(self, node: Node, tagged: Mapping[str, ConfigClass], before: Node | None) -> Node:
        """`{type: x, params: {...}}` as the flat form; a user's own part, patched or written, keeps its `params`."""
        params, kind = node.get("params"), node.get("type") or (before.get("type") if before is not None else None)
        own = tagged.get(kind.value) if kind is not None and isinstance(kind.value, str) else None
        if (
            params is None
            or (own is not None and "params" in own.model_fields)
            or not (params.is_mapping or not params.value)
        ):
            return node
        entries = {key: value for key, value in node.value.items() if key != "params"}
        for key, value in (params.value or {}).items():
            if key in entries:
                what = f"`{value.path}` and `{entries[key].path}` say the same thing"
                self.problems.unknown.append(Problem(what, value.where, "keep one of the two"))
            entries.setdefault(key, value)
        return replace(node, value=entries)


def type_of(config: ConfigClass) -> str:
    return str(config.model_fields["type"].get_default())


def unknown_key(value: Node, name: str, known: tuple[str, ...], elsewhere: str = "") -> Problem:
    """The one form in which a misspelt key is named."""
    if elsewhere and not nearest(name, known):
        return Problem(f"unknown key `{value.path}`", value.where, f"did you mean `{elsewhere}`?")
    return Problem(f"unknown key `{value.path}`", value.where, did_you_mean(name, known))


def nested(node: Node, problems: Problems) -> Node:
    """`a.b: 1` as `a: {b: 1}`."""
    if not any("." in key for key in node.value):
        return node
    entries: dict[str, Node] = {}
    for key, value in node.value.items():
        for name in reversed(key.split(".")[1:]):
            value = Node({name: value}, value.where, value.path.removesuffix(f".{name}"))
        name = key.split(".")[0]
        entries[name] = joined(entries[name], value, problems) if name in entries else value
    return replace(node, value=entries)


def joined(first: Node, second: Node, problems: Problems) -> Node:
    """Two spellings of one mapping as one; what both set is a problem."""
    if not (first.is_mapping and second.is_mapping):
        what = f"`{second.path}` and `{first.path}` say the same thing"
        problems.unknown.append(Problem(what, second.where, "keep one of the two"))
        return first
    entries = dict(first.value)
    for key, value in second.value.items():
        entries[key] = joined(entries[key], value, problems) if key in entries else value
    return replace(first, value=entries)
