"""A recipe file in, a Recipe out; or every problem at once, unknown keys first, each with file, line and hint."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ablate.data import EncodingDataConfig
from ablate.errors import AblateError, Problem
from ablate.recipe.controls import with_fusion_controls
from ablate.recipe.entry import SAFE_NAME, Reading
from ablate.recipe.fragment import PatchReader, short_words
from ablate.recipe.resolve import SECTIONS, Resolved, located, resolve, validate
from ablate.recipe.schema import Configuration, Patch, Recipe
from ablate.recipe.tree.document import parse, parse_value, read_text
from ablate.recipe.tree.merge import merge
from ablate.recipe.tree.node import Node
from ablate.recipe.vocabulary.normal import nested, unknown_key

KEYS = (
    "name",
    "question",
    "expectation",
    "cost",
    "data",
    "baseline",
    "training",
    "patches",
    "references",
    "variants",
    "seeds",
    "glm",
    "controls",
    "analysis",
)
SET = "--set"


def load_recipe(path: Path | str, sets: Sequence[str] = ()) -> Recipe:
    """Reads and checks a recipe. `sets` are `key=value` overrides, the value in YAML. Raises AblateError with all
    problems."""
    path = Path(path)
    text = read_text(path)
    return read_recipe(text, str(path), sets)


def read_recipe(text: str, path: str, sets: Sequence[str] = ()) -> Recipe:
    """The same from a text; `path` stands in messages, and its stem is the study's name where the recipe gives none."""
    reading = Reading()
    root = _aliased(nested(parse(text, path), reading.wrong), reading)
    root, overrides = _overridden(root, sets, reading)
    reading.known_keys(root, KEYS)
    resolved = _baseline(root, overrides, reading)
    before = _tree(resolved)
    patches = _patches(root.get("patches"), before, reading)
    references = _references(root, before, resolved, patches, reading)
    if reading.flag(root.get("controls"), default=True) and resolved.configuration is not None:
        patches, references = with_fusion_controls(resolved.configuration, patches, references, _first_line(root))
    for patch in (*patches.values(), *references.values()):
        reading.wrong += _alone(before, patch)
    names = tuple(patches)
    stem = Path(path).stem
    name = reading.name(root.get("name"), stem if SAFE_NAME.fullmatch(stem) else "study")
    question, expectation, cost = (reading.text(root.get(key)) for key in ("question", "expectation", "cost"))
    variants, seeds = reading.selections(root.get("variants"), names), reading.seeds(root.get("seeds"))
    glm = reading.flag(root.get("glm"), default=True)
    analysis = reading.rule(root.get("analysis"))
    problems = _unique(reading.unknown) + _unique(reading.wrong)
    if problems or resolved.configuration is None:
        raise AblateError(problems=problems)
    notices = _unique(reading.notices)
    return Recipe(
        name=name,
        configuration=resolved.configuration,
        question=question,
        expectation=expectation,
        cost=cost,
        patches=patches,
        references=references,
        variants=variants,
        seeds=seeds,
        glm=glm,
        analysis=analysis,
        tree=before,
        notices=notices,
        path=path,
        text=text,
    )


def _aliased(root: Node, reading: Reading) -> Node:
    """`model:` read as `baseline:`."""
    model = root.get("model")
    if model is None:
        return root
    entries = {key: value for key, value in root.value.items() if key != "model"}
    if "baseline" in entries:
        reading.wrong.append(Problem("`model` and `baseline` say the same thing", model.where, "keep one of the two"))
    entries.setdefault("baseline", model.at("baseline"))
    return replace(root, value=entries)


def _overridden(root: Node, sets: Sequence[str], reading: Reading) -> tuple[Node, list[Node]]:
    """The tree with the overrides of plain entries laid over it, and the overrides of the configuration, in order."""
    overrides: list[Node] = []
    for text in sets:
        node = _override(text, reading)
        if node is None:
            continue
        key = next(iter(node.value))
        if key in KEYS and key not in SECTIONS.values():
            root = merge(root, node)
        elif key in KEYS or key in short_words():  # which of these words the baseline has is known when they are read
            overrides.append(node)
        else:
            known = tuple(dict.fromkeys((*KEYS, *short_words(root.get("baseline")))))
            reading.unknown.append(unknown_key(node.value[key], key, known))
    return root, overrides


def _override(text: str, reading: Reading) -> Node | None:
    """`training.steps=100` as a tree."""
    key, equals, value = text.partition("=")
    key = key.strip()
    if not equals or not key or any(not name for name in key.split(".")):
        hint = "write `--set training.steps=100`"
        reading.wrong.append(Problem(f"`{text}` is no `key=value`", SET, hint))
        return None
    try:
        parsed = parse_value(value, SET, numbered=False)
    except AblateError as error:
        reading.wrong += [
            Problem(f"the value of `{key}`: {problem.what}", SET, problem.hint) for problem in error.problems
        ]
        return None
    node = (parsed or Node(None, SET)).at(key)
    names = key.split(".")
    for depth in range(len(names) - 1, -1, -1):
        node = Node({names[depth]: node}, SET, ".".join(names[:depth]))
    return node


def _baseline(root: Node, overrides: Sequence[Node], reading: Reading) -> Resolved:
    """The baseline's configuration, with the overrides laid over it; its problems go to `reading`."""
    sections = {field: root.get(word) for field, word in SECTIONS.items()}
    for field, word in SECTIONS.items():
        section = sections[field]
        if section is not None and section.value is not None and not section.is_mapping and word != "baseline":
            hint = f"write `{word}:` and its options below it"
            reading.fault(section, "a mapping", hint)
    tree = Node(
        {field: node for field, node in sections.items() if node is not None and node.value is not None}, root.where
    )
    if "training" not in tree.value:
        tree.value["training"] = Node({}, _first_line(root), "training")
    resolved = resolve(replace(tree, where=_first_line(root)))  # the places of missing sections: the file
    reading.unknown += resolved.unknown
    reading.notices += resolved.notices
    wrong, before = list(resolved.wrong), len(reading.unknown)
    for override in overrides:
        fragment = PatchReader(reading, _tree(resolved)).fragment(override)
        resolved = resolve(merge(_tree(resolved), fragment))
        if len(reading.unknown) == before:  # else it is among them already
            reading.unknown += [problem for problem in resolved.unknown if problem.where == SET]
        before, wrong = len(reading.unknown), list(resolved.wrong)
    reading.wrong += wrong
    return resolved


def _first_line(root: Node) -> str:
    return root.where.rpartition(":")[0] or root.where


def _tree(resolved: Resolved) -> Node:
    """The full configuration with its places where it is valid; else what was written."""
    return located(resolved.configuration, resolved.tree) if resolved.configuration is not None else resolved.tree


def _patches(node: Node | None, before: Node, reading: Reading) -> dict[str, Patch]:
    if node is None or node.value is None:
        return {}
    if not node.is_mapping:
        reading.fault(node, "a mapping from a name to what the patch changes")
        return {}
    reader = PatchReader(reading, before)
    return {name: reader.patch(name, entry) for name, entry in node.value.items()}


def _references(
    root: Node, before: Node, resolved: Resolved, patches: dict[str, Patch], reading: Reading
) -> dict[str, Patch]:
    """The references, and the lagged Poisson model that every encoding study shows unless it says otherwise."""
    references = _patches(root.get("references"), before, reading)
    for name in references:
        if name in patches:
            what = f"`references.{name}` and `patches.{name}` have the same name"
            reading.wrong.append(Problem(what, references[name].where, "rename one of them"))
    wanted = root.get("glm")
    if (
        "glm" in (*references, *patches)
        or not _predicts_spikes(resolved.configuration)
        or (wanted is not None and wanted.value is False)
    ):
        return references
    where = _first_line(root)
    tree = Node(
        {"model": Node({"type": Node("glm", where, "references.glm.model.type")}, where, "references.glm.model")}, where
    )
    title = "lagged Poisson model, one layer"
    return {**references, "glm": Patch("glm", title=title, tree=replace(tree, path="references.glm"))}


def _alone(before: Node, patch: Patch) -> list[Problem]:
    """What is wrong with the values of a patch, whatever it is combined with."""
    _, problems = validate(merge(before, patch.tree))
    written = f"`{patch.tree.path}."
    return [problem for problem in problems if problem.what.startswith(written) and ", expected " in problem.what]


def _unique(problems: Sequence[Problem]) -> tuple[Problem, ...]:
    return tuple(dict.fromkeys(problems))


def _predicts_spikes(configuration: Configuration | None) -> bool:
    """Whether a lagged Poisson model can stand beside the baseline: an encoder of ours, or a model of the user's."""
    if configuration is None or configuration.model.type not in ("encoder", "import"):
        return False
    return isinstance(configuration.data, EncodingDataConfig)
