"""What every variant weighs, as tables: a column a variant for the parameters, then a row each for FLOPs and shapes."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from ablate.analysis.words import count
from ablate.cli.console import out, say
from ablate.cli.screen.table.stages import print_stages
from ablate.cli.screen.table.whom import lints_of, whom
from ablate.result import ModelCost

if TYPE_CHECKING:
    from ablate.cli.weigh import Weighed


def print_tables(weighed: Sequence["Weighed"]) -> None:
    """Parameters a part with a column a variant, then FLOPs, shapes and tokens, then the lints."""
    console = out()
    for group in in_groups(weighed, console.width):
        console.print(parameter_table(group, weighed[0].cost))
    console.print(flow_table(weighed))
    models = [(item.variant.name, item.cost) for item in weighed]
    for lint, names in lints_of(models).items():
        console.print(f"warning: {lint} ({whom(names, models)})", markup=False, soft_wrap=True)
    print_stages(console, models)
    if any(item.variant.aliases for item in weighed):
        for item in weighed:
            if item.variant.aliases:
                say(f"{item.variant.name} is also called {', '.join(item.variant.aliases)}")


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


def in_groups(weighed: Sequence["Weighed"], width: int) -> "list[list[Weighed]]":
    """As many variants side by side as the terminal has room for, the baseline first in each group."""
    base, rest = weighed[0], list(weighed[1:])
    room = max(1, (width - 36) // 25)
    if not rest:
        return [[base]]
    return [[base, *rest[start : start + room]] for start in range(0, len(rest), room)]


def parameter_table(group: Sequence["Weighed"], base: ModelCost) -> Table:
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


def flow_table(weighed: Sequence["Weighed"]) -> Table:
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


def print_modules(name: str, modules: Iterable[tuple[str, int]]) -> None:
    """The parameters of a variant's modules, down to the depth that was asked for."""
    table = Table(title=f"modules of {name}", title_justify="left", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("module")
    table.add_column("parameters", justify="right")
    for module, number in modules:
        table.add_row(Text(module), count(number))
    out().print(table)
