"""`ablate check`: is the recipe right, and what does each of its variants change? Trains nothing."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from ablate.cli.console import out, say
from ablate.recipe import load_recipe
from ablate.request import Request
from ablate.study.plan import StudyPlan, data_sets, plan_study
from ablate.variant import survey


def check_recipe(recipe: Path, *, sets: Sequence[str], data: Path | None, cost: bool, device: str, out: Path) -> int:
    """Validates as `ablate run` would, down to the no-op test, and lists the variants."""
    request = Request(recipe=recipe, sets=tuple(sets), data=data, device=device, out=out)
    for variant in survey(load_recipe(recipe, sets=data_sets(request))).variants:
        for target in imported_targets(variant.configuration.model_dump()):
            say(f"note: {variant.name} runs code of yours: {target}")
    plan = plan_study(request)
    print_plan(plan)
    if cost:
        from ablate.cli.price import show_price

        return show_price(request)
    return 0


def imported_targets(configuration: Any) -> list[str]:
    """The `type: import` parts of a configuration: code that will run because the recipe names it."""
    if isinstance(configuration, dict):
        own = [str(configuration["target"])] if configuration.get("type") == "import" else []
        return own + [target for value in configuration.values() for target in imported_targets(value)]
    if isinstance(configuration, list | tuple):
        return [target for value in configuration for target in imported_targets(value)]
    return []


def print_plan(plan: StudyPlan) -> None:
    """Every variant with what it changes and what else moves with it."""
    console, manifest = out(), plan.manifest
    console.print(f"{manifest.name}: {manifest.question}", markup=False)
    console.print(
        f"{manifest.data_description}; seeds {', '.join(map(str, manifest.seeds))}; {len(plan.jobs)} runs", markup=False
    )
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("variant")
    table.add_column("role")
    table.add_column("what it changes", overflow="fold", ratio=2)
    table.add_column("also changed by it", overflow="fold", ratio=3)
    table.add_column("expected", justify="right")
    for entry in manifest.variants:
        names = ", ".join((entry.name, *(f"= {alias}" for alias in entry.aliases)))
        expected = f"{100 * entry.expect[0]:+g}..{100 * entry.expect[1]:+g} %" if entry.expect else ""
        table.add_row(Text(names), entry.role, Text(entry.changes), Text("; ".join(entry.also_changed)), expected)
    console.print(table)
    for notice in plan.notices:
        say(str(notice).replace("error: ", "note: ", 1))
    with_lint: dict[str, list[str]] = {}
    for entry in manifest.variants:
        for lint in entry.cost.lints if entry.cost else ():
            with_lint.setdefault(lint, []).append(entry.name)
    for lint, whom in with_lint.items():
        everyone = len(whom) == len(manifest.variants)
        say(f"warning: {lint} ({'all variants' if everyone else ', '.join(whom)})")
    for entry in manifest.variants:
        for warning in entry.warnings:
            say(f"warning: {entry.name}: {warning}")
