"""A recipe file in, a Recipe out; or every problem at once, unknown keys first, each with file, line and hint."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from ablate.data import EncodingDataConfig
from ablate.errors import AblateError, Problems
from ablate.recipe.controls import with_fusion_controls
from ablate.recipe.entry import SAFE_NAME, Reading
from ablate.recipe.execution import checked
from ablate.recipe.fragment import PatchReader, short_words, without_metric
from ablate.recipe.logger import loggers
from ablate.recipe.resolve import SECTIONS, Resolved, located, resolve, validate
from ablate.recipe.retune import retuned
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
    "metric",
    "baseline",
    "training",
    "patches",
    "references",
    "variants",
    "seeds",
    "looked_at",
    "glm",
    "controls",
    "analysis",
    "retune",
    "execution",
    "log",
)
SET = "--set"


def load_recipe(path: Path | str, sets: Sequence[str] = ()) -> Recipe:
    """Reads and checks a recipe. `sets` are `key=value` overrides, the value in YAML. Raises AblateError with all
    problems."""
    return read_recipe(read_text(Path(path)), str(path), sets)


def data_type(path: Path | str) -> str | None:
    """The type of a recipe's data as it is written there, without a check of anything else; None where it says none."""
    try:
        root = parse(read_text(Path(path)), str(path), Problems())
    except AblateError:  # whoever reads the recipe says what is wrong
        return None
    section = root.get("data")
    node = None if section is None else section.get("type")
    return node.value if node is not None and isinstance(node.value, str) else None


def read_recipe(text: str, path: str, sets: Sequence[str] = ()) -> Recipe:
    """The same from a text; `path` stands in messages, and its stem is the study's name where the recipe gives none."""
    problems = Problems()
    reading = Reading(problems)
    root = _aliased(nested(parse(text, path, problems), problems), problems)
    root, overrides = _overridden(root, sets, reading)
    reading.known_keys(root, KEYS)
    resolved = _baseline(root, overrides, reading)
    before = _tree(resolved)
    patches = _patches(root.get("patches"), before, reading)
    references = _references(root, before, resolved, patches, reading)
    if reading.flag(root.get("controls"), default=True) and resolved.configuration is not None:
        patches, references = with_fusion_controls(resolved.configuration, patches, references, _first_line(root))
    for patch in (*patches.values(), *references.values()):
        _alone(before, patch, problems)
    names = tuple(patches)
    stem = Path(path).stem
    name = reading.name(root.get("name"), stem if SAFE_NAME.fullmatch(stem) else "study")
    question, expectation, cost = (reading.text(root.get(key)) for key in ("question", "expectation", "cost"))
    variants, seeds = reading.selections(root.get("variants"), names), reading.seeds(root.get("seeds"))
    looked_at = reading.looked_at(root.get("looked_at"))
    reading.flag(root.get("glm"))  # what is wrong with it is told here; `_references` has followed it
    analysis = reading.rule(root.get("analysis"))
    execution = checked(root.get("execution"), problems)
    log = loggers(root.get("log"), problems)
    search = retuned(root.get("retune"), before, reading) if not problems else ()
    problems.refuse()
    assert resolved.configuration is not None, "or a problem would say why"
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
        looked_at=looked_at,
        retune=search,
        analysis=analysis,
        execution=execution,
        log=log,
        tree=before,
        notices=tuple(dict.fromkeys(problems.notices)),
        path=path,
        text=text,
    )


def _aliased(root: Node, problems: Problems) -> Node:
    """`model:` read as `baseline:`."""
    model = root.get("model")
    if model is None:
        return root
    entries = {key: value for key, value in root.value.items() if key != "model"}
    if "baseline" in entries:
        problems.fault("`model` and `baseline` say the same thing", model.where, "keep one of the two")
    entries.setdefault("baseline", model.at("baseline"))
    return replace(root, value=entries)


def _overridden(root: Node, sets: Sequence[str], reading: Reading) -> tuple[Node, list[Node]]:
    """The tree with the overrides of plain entries laid over it, and the overrides of the configuration, in order."""
    overrides: list[Node] = []
    for text in sets:
        node = _override(text, reading.problems)
        if node is None:
            continue
        key = next(iter(node.value))
        if key in KEYS and key not in SECTIONS.values():
            root = merge(root, node)
        elif key in KEYS or key in short_words():  # which of these words the baseline has is known when they are read
            overrides.append(node)
        else:
            known = tuple(dict.fromkeys((*KEYS, *short_words(root.get("baseline")))))
            reading.problems.unknown.append(unknown_key(node.value[key], key, known))
    return root, overrides


def _override(text: str, problems: Problems) -> Node | None:
    """`training.steps=100` as a tree."""
    key, equals, value = text.partition("=")
    key = key.strip()
    if not equals or not key or any(not name for name in key.split(".")):
        problems.fault(f"`{text}` is no `key=value`", SET, "write `--set training.steps=100`")
        return None
    own, parsed = Problems(), None
    with own.collecting():
        parsed = parse_value(value, SET, own, numbered=False)
    if own:
        problems.wrong += [replace(problem, what=f"the value of `{key}`: {problem.what}") for problem in own.found]
        return None
    node = (parsed or Node(None, SET)).at(key)
    names = key.split(".")
    for depth in range(len(names) - 1, -1, -1):
        node = Node({names[depth]: node}, SET, ".".join(names[:depth]))
    return node


def _baseline(root: Node, overrides: Sequence[Node], reading: Reading) -> Resolved:
    """The baseline's configuration with the overrides laid over it: they may put a wrong value right, not a word."""
    sections = {field: root.get(word) for field, word in SECTIONS.items()}
    sections["data"] = sections["data"] and without_metric(sections["data"], reading.problems)
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
    problems, last = reading.problems, Problems()
    resolved = resolve(replace(tree, where=_first_line(root)), last)  # the places of missing sections: the file
    problems.unknown += last.unknown
    problems.notices += last.notices
    for override in overrides:
        before, last = len(problems.unknown), Problems()
        fragment = PatchReader(reading, _tree(resolved)).fragment(override)
        resolved = resolve(merge(_tree(resolved), fragment), last)
        if len(problems.unknown) == before:  # else it is among them already
            problems.unknown += [problem for problem in last.unknown if problem.where == SET]
    metric = root.get("metric")
    if metric is not None and metric.value is not None:  # laid over last: it holds whatever the data are
        last = Problems()
        held = Node({"data": Node({"metric": metric}, metric.where, "data")}, metric.where)
        resolved = resolve(merge(_tree(resolved), held), last)
    problems.wrong += last.wrong
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
            reading.problems.fault(what, references[name].where, "rename one of them")
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


def _alone(before: Node, patch: Patch, problems: Problems) -> None:
    """What is wrong with the values of a patch, whatever it is combined with."""
    own, written = Problems(), f"`{patch.tree.path}."
    validate(merge(before, patch.tree), own)
    problems.wrong += [
        problem for problem in own.found if problem.what.startswith(written) and ", expected " in problem.what
    ]


def _predicts_spikes(configuration: Configuration | None) -> bool:
    """Whether a lagged Poisson model can stand beside the baseline: an encoder of ours, or a model of the user's."""
    if configuration is None or configuration.model.type not in ("encoder", "import"):
        return False
    return isinstance(configuration.data, EncodingDataConfig)
