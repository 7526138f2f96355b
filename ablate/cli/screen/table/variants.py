"""What a study consists of: every variant with what it changes, what else moves with it, and what to beware of."""

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from ablate.analysis.words import plural
from ablate.cli.console import out, say
from ablate.cli.screen.table.stages import print_stages
from ablate.cli.screen.table.whom import lints_of, whom

if TYPE_CHECKING:
    from ablate.study.study import Study


def print_variants(study: "Study") -> None:
    """Every variant with what it changes and what else moves with it."""
    console, manifest = out(), study.manifest
    console.print(f"{manifest.name}: {manifest.question}", markup=False)
    console.print(
        f"{manifest.data_description}; seeds {', '.join(map(str, manifest.seeds))}; {plural(len(study.jobs), 'run')}",
        markup=False,
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
    models = [(entry.name, entry.cost) for entry in manifest.variants if entry.cost]
    print_stages(console, models)
    for notice in study.notices:
        say(str(notice).replace("error: ", "note: ", 1))
    for lint, about in lints_of(models).items():
        say(f"warning: {lint} ({whom(about, models)})")
