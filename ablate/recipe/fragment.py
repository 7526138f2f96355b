"""One entry of `patches` in, the Patch out: the reserved keys read, everything else brought into the shape of a
Configuration."""

from dataclasses import dataclass

from ablate.errors import Problem, Problems
from ablate.recipe.entry import SAFE_NAME, Reading
from ablate.recipe.schema import STRATEGIES, Configuration, Patch
from ablate.recipe.tree.node import Node
from ablate.recipe.vocabulary.fields import alternatives
from ablate.recipe.vocabulary.normal import DEFAULT_TYPE, SYNONYMS, Normalizer, joined, nested, unknown_key

RESERVED = ("title", "description", "expect", "expect_cost", "was", "order", "allow_noop", "control")
SECTION_WORDS: dict[str, tuple[str, ...]] = {
    "data": ("data",),
    "baseline": ("model",),
    "model": ("model",),
    "training": ("training",),
}
TAKEN_NAMES = ("baseline", *STRATEGIES)


def short_words(base: Node | None = None, *models: Node | None) -> dict[str, tuple[str, ...]]:
    """Words that a patch may open with -> the place in a Configuration that they mean: `tokenizer` ->
    model.core.tokenizer.

    They are the parts of the models given by their trees (a base without a type is an encoder), or of all kinds of
    models
    where none of these has a known type.
    """
    words: dict[str, tuple[str, ...]] = dict(SECTION_WORDS)
    kinds = alternatives(Configuration.model_fields["model"])
    written = [model.get("type") for model in (base, *models) if model is not None]
    if base is not None and base.is_mapping and base.get("type") is None:
        written.append(Node(DEFAULT_TYPE))
    types = [node.value for node in written if node is not None and isinstance(node.value, str) and node.value in kinds]
    for config in (kinds[name] for name in types or kinds):
        for name in config.model_fields:
            if name != "type":
                words.setdefault(name, ("model", name))
    words |= {synonym: ("model", name) for synonym, name in SYNONYMS.items() if ("model", name) in words.values()}
    if ("model", "core") in words.values():
        words.setdefault("tokenizer", ("model", "core", "tokenizer"))
    return words


@dataclass
class PatchReader:
    """Reads patches against the baseline's tree; what is wrong is collected in `reading`."""

    reading: Reading
    before: Node

    def patch(self, name: str, entry: Node) -> Patch:
        reading = self.reading
        if not SAFE_NAME.fullmatch(name) or name in TAKEN_NAMES:
            reason = "is taken" if name in TAKEN_NAMES else "is not a name of letters, digits, `_`, `-` and `.`"
            reading.problems.fault(f"the patch name `{name}` {reason}", entry.where, "give the patch another name")
        if not entry.is_mapping:
            reading.fault(entry, "a mapping", "a patch holds what it changes, in the shape of the recipe")
            return Patch(name, tree=Node({}, entry.where, entry.path))
        was = entry.get("was")
        tree = self.fragment(entry, RESERVED)
        return Patch(
            name=name,
            title=reading.text(entry.get("title")),
            description=reading.text(entry.get("description")),
            expect=reading.range(entry.get("expect")),
            expect_cost=reading.costs(entry.get("expect_cost")),
            order=reading.whole(entry.get("order")),
            allow_noop=reading.flag(entry.get("allow_noop")),
            control=reading.flag(entry.get("control")),
            tree=tree,
            was_tree=self._was(was, tree) if was is not None else None,
        )

    def fragment(self, entry: Node, reserved: tuple[str, ...] = ()) -> Node:
        """What an entry changes, in the shape of a Configuration and in its normal form."""
        problems = self.reading.problems
        words = short_words(self.before.get("model"), entry.get("model"), entry.get("baseline"))
        whole = Node({}, entry.where, entry.path)
        for key, value in nested(entry, problems).value.items():
            if key in reserved:
                continue
            if key not in words:
                known = (*reserved, *words)
                problems.unknown.append(unknown_key(value, key, known, self._elsewhere(key)))
                continue
            value = without_metric(value, problems) if key == "data" else value
            whole = joined(whole, _at(words[key], value, entry), problems)
        return Normalizer(problems, strict=False, keep_null=True).part(whole, Configuration, self.before)

    def _was(self, was: Node, tree: Node) -> Node | None:
        """The values expected before: in the shape of a fragment, or the bare value where the patch sets one key."""
        if was.is_mapping:
            return self.fragment(was)
        places = list(leaves(tree))
        if len(places) != 1:
            hint = "write `was: {key: value}` in the shape of the patch"
            self.reading.fault(was, f"a mapping, since the patch sets {len(places)} keys", hint)
            return None
        return _at(places[0], was, was)

    def _elsewhere(self, name: str) -> str:
        """The one option of the baseline that has this name: `dropout` -> `core.dropout`."""
        found = [place for place in leaves(self.before) if place[-1] == name]
        return ".".join(found[0]).removeprefix("model.") if len(found) == 1 else ""


def without_metric(data: Node, problems: Problems) -> Node:
    """A data section, which holds no `metric`: one is chosen for all variants, or they could not be compared."""
    if not data.is_mapping or "metric" not in data.value:
        return data
    written = data.value["metric"]
    hint = "write `metric:` beside `data:`; it holds for every variant"
    problems.unknown.append(Problem(f"unknown key `{written.path}`", written.where, hint))
    return Node({key: value for key, value in data.value.items() if key != "metric"}, data.where, data.path)


def leaves(node: Node, place: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    """The places of all values that are no mappings."""
    if not node.is_mapping:
        return [place]
    return [leaf for key, value in node.value.items() for leaf in leaves(value, (*place, key))]


def _at(place: tuple[str, ...], value: Node, entry: Node) -> Node:
    """A value put at a place of an otherwise empty tree."""
    for name in reversed(place):
        value = Node({name: value}, value.where, value.path)
    return Node(value.value, entry.where, entry.path)
