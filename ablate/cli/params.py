"""`ablate params`: what every variant weighs, side by side, on the meta device: nothing big is allocated."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from importlib import resources
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from ablate.analysis.words import count
from ablate.cli.console import out, say
from ablate.contract import DataSpec, EncodingSpec
from ablate.errors import AblateError
from ablate.model.cost import describe, module_parameters
from ablate.recipe import load_recipe
from ablate.request import Request
from ablate.result import ModelCost
from ablate.study.plan import data_sets
from ablate.variant import Variant, expand

DEFAULT_RECIPE = Path("recipes/vivit_fixes.yaml")
FORMATS = ("table", "json")


@dataclass(frozen=True)
class Weighed:
    """A variant and what its model weighs."""

    variant: Variant
    cost: ModelCost


def show_params(
    recipe: Path | None,
    *,
    variants: Sequence[str],
    depth: int,
    format: str,
    units: int | None,
    behaviors: int | None,
    sessions: int | None,
    sets: Sequence[str],
    data: Path | None,
) -> int:
    """Prints the parameters of every variant of a recipe."""
    if format not in FORMATS:
        raise AblateError(f"--format {format} is unknown", hint=f"choose {' or '.join(FORMATS)}")
    path = recipe or default_recipe()
    expanded = expand(load_recipe(path, sets=data_sets(Request(recipe=path, sets=tuple(sets), data=data))))
    weighed = weigh(chosen(expanded, variants), units=units, behaviors=behaviors, sessions=sessions)
    if format == "json":
        print(json.dumps({"variants": {w.variant.name: as_json(w.cost) for w in weighed}}, indent=1))
        return 0
    print_tables(weighed, depth=depth)
    return 0


def default_recipe() -> Path:
    """The notes' recipe: in the checkout, else where the package was installed from."""
    if DEFAULT_RECIPE.is_file():
        return DEFAULT_RECIPE
    beside = Path(str(resources.files("ablate"))).parent / DEFAULT_RECIPE
    if beside.is_file():
        return beside
    raise AblateError("no recipe is named, and recipes/vivit_fixes.yaml is not here", hint="ablate params RECIPE")


def chosen(variants: Sequence[Variant], names: Sequence[str]) -> tuple[Variant, ...]:
    """The baseline and the variants named, or all."""
    known = {alias for v in variants for alias in (v.name, *v.aliases)}
    unknown = [name for name in names if name not in known]
    if unknown:
        listed = ", ".join(v.name for v in variants)
        raise AblateError(f"no variant is called `{unknown[0]}`", where="--variant", hint=f"the recipe has {listed}")
    keep = [v for v in variants if not names or v.role == "baseline" or {v.name, *v.aliases} & set(names)]
    return tuple(keep)


def weigh(
    variants: Sequence[Variant], *, units: int | None = None, behaviors: int | None = None, sessions: int | None = None
) -> tuple[Weighed, ...]:
    """Every variant's cost, on the recipe's data or on data of the given size."""
    weighed = []
    for variant in variants:
        spec = resized(variant.configuration.data.describe(), units=units, behaviors=behaviors, sessions=sessions)
        weighed.append(Weighed(variant, describe(variant.configuration.model, spec)))
    return tuple(weighed)


def resized(spec: DataSpec, *, units: int | None, behaviors: int | None, sessions: int | None) -> DataSpec:
    """The same data with other numbers of sessions, units and behaviour variables."""
    if units is None and behaviors is None and sessions is None:
        return spec
    if not isinstance(spec, EncodingSpec):
        raise AblateError("--units, --behaviors and --sessions are for encoding studies")
    every = spec.sessions if sessions is None else tuple(spec.sessions[i % len(spec.sessions)] for i in range(sessions))

    def one(session: Any) -> Any:
        number = session.units if units is None else units
        rates = tuple(session.mean_rate[i % len(session.mean_rate)] for i in range(number))
        columns = session.behaviors if behaviors is None else behaviors
        return replace(session, units=number, mean_rate=rates, behaviors=columns)

    return replace(spec, sessions=tuple(one(session) for session in every))


def as_json(cost: ModelCost) -> dict[str, Any]:
    """A stable shape for programs."""
    tokens = cost.tokens
    return {
        "parts": dict(cost.parts),
        "total": cost.total_parameters,
        "trainable": cost.trainable_parameters,
        "frozen": cost.total_parameters - cost.trainable_parameters,
        "flops": cost.total_flops,
        "flops_by_part": dict(cost.flops),
        "shapes": {name: list(shape) for name, shape in cost.shapes.items()},
        "tokens": {"time": tokens.time, "space": list(tokens.space)} if tokens else None,
        "pixels_never_seen": cost.pixels_never_seen,
        "receptive_field": cost.receptive_field,
        "notes": cost.notes,
        "lints": list(cost.lints),
    }


# ------------------------------------------------------------------ tables


def print_tables(weighed: Sequence[Weighed], *, depth: int) -> None:
    """Parameters a part with a column a variant, then FLOPs, shapes and tokens, then the lints."""
    console = out()
    for group in in_groups(weighed, console.width):
        console.print(parameter_table(group, weighed[0].cost))
    console.print(flow_table(weighed))
    for lint, names in lints_of(weighed).items():
        console.print(f"warning: {lint} ({names})", markup=False, soft_wrap=True)
    for item in weighed:
        for name, note in item.cost.notes.items():
            console.print(f"{item.variant.name}: {name}: {note}", markup=False, soft_wrap=True)
    if depth > 1:
        for item in weighed:
            console.print(module_table(item, depth))
    if any(item.variant.aliases for item in weighed):
        for item in weighed:
            if item.variant.aliases:
                say(f"{item.variant.name} is also called {', '.join(item.variant.aliases)}")


def lints_of(weighed: Sequence[Weighed]) -> dict[str, str]:
    """Each lint once, with the variants that it is about."""
    whom: dict[str, list[str]] = {}
    for item in weighed:
        for lint in item.cost.lints:
            whom.setdefault(lint, []).append(item.variant.name)
    return {lint: "all variants" if len(names) == len(weighed) else ", ".join(names) for lint, names in whom.items()}


def part_order(costs: Sequence[ModelCost]) -> list[str]:
    """All parts in the order of the flow: a part that only some models have stands before the part that follows it
    there.
    """
    order: list[str] = []
    for cost in costs:
        names = list(cost.parts)
        for index, name in enumerate(names):
            if name in order:
                continue
            after = [order.index(follower) for follower in names[index + 1 :] if follower in order]
            order.insert(min(after), name) if after else order.append(name)
    return order


def in_groups(weighed: Sequence[Weighed], width: int) -> list[list[Weighed]]:
    """As many variants side by side as the terminal has room for, the baseline first in each group."""
    base, rest = weighed[0], list(weighed[1:])
    room = max(1, (width - 36) // 25)
    if not rest:
        return [[base]]
    return [[base, *rest[start : start + room]] for start in range(0, len(rest), room)]


def parameter_table(group: Sequence[Weighed], base: ModelCost) -> Table:
    """One row a part; behind each number the change to the baseline."""
    table = Table(title="parameters", title_justify="left", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("part")
    for item in group:
        table.add_column(Text(item.variant.name), justify="right")
    for name in part_order([item.cost for item in group]):
        table.add_row(
            name, *(cell(item.cost.parts.get(name), base.parts.get(name), item.cost is base) for item in group)
        )
    table.add_section()
    totals = (cell(item.cost.total_parameters, base.total_parameters, item.cost is base) for item in group)
    table.add_row("total", *totals, style="bold")
    frozen = [item.cost.total_parameters - item.cost.trainable_parameters for item in group]
    if any(frozen):
        table.add_row("of which frozen", *(f"{number:,}" for number in frozen))
    return table


def cell(value: int | None, base: int | None, is_base: bool) -> str:
    """`7,213,795 -37 %`, or a dash where the variant has no such part."""
    if value is None:
        return "-"
    if is_base or base is None or value == base:
        return f"{value:,}"
    change = f"{100 * (value / base - 1):+.0f} %" if base else "new"
    return f"{value:,} {change}"


def flow_table(weighed: Sequence[Weighed]) -> Table:
    """One row a variant: cost, tokens, and the shape after every part."""
    base = weighed[0].cost
    table = Table(
        title="one sample through the model", title_justify="left", box=None, pad_edge=False, padding=(0, 2, 0, 0)
    )
    for name, justify in (("variant", "left"), ("FLOPs", "right"), ("x", "right"), ("tokens t x h x w", "right")):
        table.add_column(name, justify=justify)  # type: ignore[arg-type]
    table.add_column("pixels never seen", justify="right")
    table.add_column("shapes", overflow="fold")
    for item in weighed:
        cost = item.cost
        tokens = f"{cost.tokens.time} x {cost.tokens.space[0]} x {cost.tokens.space[1]}" if cost.tokens else "-"
        ratio = f"{cost.total_flops / base.total_flops:.2f}" if base.total_flops else "-"
        shapes = "  ".join(f"{name} {'x'.join(map(str, shape))}" for name, shape in cost.shapes.items())
        unseen = f"{100 * cost.pixels_never_seen:.0f} %"
        table.add_row(Text(item.variant.name), count(cost.total_flops), ratio, tokens, unseen, Text(shapes))
    return table


def module_table(item: Weighed, depth: int) -> Table:
    """The parameters of a variant's modules down to a depth."""
    table = Table(
        title=f"modules of {item.variant.name}", title_justify="left", box=None, pad_edge=False, padding=(0, 2, 0, 0)
    )
    table.add_column("module")
    table.add_column("parameters", justify="right")
    spec = item.variant.configuration.data.describe()
    for name, number in module_parameters(item.variant.configuration.model, spec, depth=depth):
        table.add_row(Text(name), count(number))
    return table
