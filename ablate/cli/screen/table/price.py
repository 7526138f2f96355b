"""The price of a study: what is done, what the rest takes, and what the seeds can tell."""

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from ablate.analysis.words import duration, number, percent, plural, unit_of
from ablate.cli.console import out, say
from ablate.request import Request
from ablate.result.environment import usable_cores

if TYPE_CHECKING:
    from ablate.study.price import StudyPrice, VariantPrice
    from ablate.study.running.job import RunJob

FAILED = 1
SLOW_CPU_FLOPS = 5e10
"""Floating-point operations a second that a laptop's core sustains in training."""
BACKWARD = 3
"""A training step costs about three forward passes."""


def price_code(price: "StudyPrice") -> int:
    """The exit code: 1 when a variant could not be trained at all."""
    return FAILED if any(row.problem for row in price.variants) else 0


def print_price(price: "StudyPrice") -> None:
    """Prints the price of a study."""
    console = out()
    console.print(f"{price.study.manifest.name}: {price.study.manifest.question}", markup=False)
    console.print(table_of(price))
    for line in summary(price):
        console.print(line, markup=False)
    for problem in price.too_large:
        say(str(problem).replace("error: ", "warning: ", 1))


def table_of(price: "StudyPrice") -> Table:
    """One row a variant."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("variant")
    for name in ("runs", "done", "to go", "a step", "peak memory", "on a card", "a run", "to go takes"):
        table.add_column(name, justify="right")
    table.add_column("")
    for row in price.variants:
        table.add_row(*cells(row))
    return table


def cells(row: "VariantPrice") -> tuple[str | Text, ...]:
    step = f"{row.timing.milliseconds:.1f} ms" if row.timing else "-"
    memory = f"{row.timing.peak_memory / 1e9:.2f} GB" if row.timing else "-"
    on_card = f"{row.predicted / 1e9:.2f} GB" if row.predicted else "-"
    run = duration(row.seconds) if row.seconds is not None else "-"
    rest = duration(row.seconds * row.left) if row.seconds is not None and row.left else "-"
    remark = row.problem or ("time of finished runs" if row.measured else "")
    numbers = (str(row.done + row.left), str(row.done), str(row.left))
    return (Text(row.entry.name), *numbers, step, memory, on_card, run, rest, Text(remark))


def summary(price: "StudyPrice") -> list[str]:
    """Where, how long, and what can be found."""
    manifest = price.study.manifest
    runs = len(price.study.jobs)
    lines = [f"{plural(runs, 'run')}, {runs - price.left} there already; on {price.device}, {price.workers} at a time"]
    if price.left:
        lines.append(f"to go: {plural(price.left, 'run')}, about {duration(price.seconds)}")
    else:
        lines.append("nothing is left to train")
    runs, seconds = price.search
    if runs:
        each = f"up to {plural(runs, 'run')} of the baseline and {runs} of each patch that helps"
        lines.append(f"retuning takes {each}: about {duration(seconds)} for one")
    runs, seconds = price.confirmation
    if runs:
        lines.append(f"the confirmation of one row takes {plural(runs, 'run')}, about {duration(seconds)}")
    unit = unit_of(manifest.metric)
    seeds = plural(len(manifest.seeds), "seed")
    if price.detectable is not None:
        size = f"{number(price.detectable)} {unit}"
        if price.baseline is not None and price.baseline > 0:
            size += f" ({percent(price.detectable / price.baseline)} of the baseline)"
        lines.append(
            f"smallest gain that {seeds} can detect: {size}, by {price.baseline_runs} finished runs of the baseline"
        )
    elif len(manifest.seeds) < 2:
        lines.append("one seed gives no interval: no gain can be told from noise; --seeds 0,1,2")
    else:
        lines.append(f"smallest gain that {seeds} can detect: known once two runs of the baseline are done")
    return lines


def say_cpu_time(todo: "Sequence[RunJob]", request: Request) -> None:
    """What a full-size recipe would cost on this CPU by its FLOPs, if that is long, and what to run instead."""
    operations = 0.0
    for job in todo:
        training = job.configuration.training
        operations += BACKWARD * (job.cost.total_flops if job.cost else 0) * training.steps * training.batch_size
    hours = operations / (SLOW_CPU_FLOPS * usable_cores()) / 3600
    if hours < 1:
        return
    time = plural(round(hours), "hour") if hours < 72 else plural(round(hours / 24), "day")
    say(f"warning: by its FLOPs this recipe takes about {time} on this CPU.")
    say(f"  rehearse it in minutes: {shlex.join(('ablate', 'run', str(request.recipe), '--quick'))}")
    say("  the same question at a CPU's size: ablate run recipes/quickstart.yaml")
