"""A fusion model stage by stage: frames and EEG in, what each part makes of them, its parameters and FLOPs a clip."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ablate.analysis.words import count
from ablate.cli.screen.table.whom import Named, notes_of, whom
from ablate.result import ModelCost

LETTERS = {
    "video": "b i f d",
    "projection": "b i f d",
    "mixer": "b i f d",
    "compressor": "b i n d",
    "eeg": "b e d",
    "fusion": "b e d",
}
"""Axes of what each part gives: batch, interval, frame (or tubelet) in it, latent, EEG token, width."""


def print_stages(console: Console, models: Sequence[Named]) -> None:
    """A table for every model whose stages differ from those shown before, then the notes, each once with its
    models.
    """
    shown: dict[tuple[object, ...], list[str]] = {}
    first: dict[tuple[object, ...], ModelCost] = {}
    for name, cost in models:
        if "fusion" in cost.shapes:
            signature = (*cost.shapes.items(), *cost.frozen.items())
            shown.setdefault(signature, []).append(name)
            first.setdefault(signature, cost)
    for alike, names in shown.items():
        console.print(stage_table(names, first[alike]))
    for note, about in notes_of(models).items():
        console.print(f"{whom(about, models)}: {note}", markup=False, soft_wrap=True)


def stage_table(names: Sequence[str], cost: ModelCost) -> Table:
    """One row a stage in the order of the flow. Other models with the same shapes may weigh otherwise."""
    alike = f" (the same shapes: {', '.join(names[1:])})" if len(names) > 1 else ""
    title = Text(f"{names[0]}, one clip stage by stage{alike}")
    table = Table(title=title, title_justify="left", box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("stage")
    table.add_column("axes")
    for column in ("shape", "parameters", "of which frozen", "FLOPs a clip"):
        table.add_column(column, justify="right")
    for stage, shape in cost.inputs.items():
        if stage == "frames" and "video" not in cost.parts:  # EEG alone
            continue
        axes = "b channel sample" if stage == "eeg" else "b i f 3 h w" if len(shape) == 5 else "b i f d"
        table.add_row(f"{stage}, given", axes, _shape(shape), "", "", "")
    for part, number in cost.parts.items():
        frozen = cost.frozen.get(part, 0)
        table.add_row(
            part,
            LETTERS.get(part, ""),
            _shape(cost.shapes[part]) if part in cost.shapes else "",
            f"{number:,}",
            f"{frozen:,}" if frozen else "",
            count(cost.flops.get(part, 0)),
        )
    table.add_section()
    all_frozen = cost.total_parameters - cost.trainable_parameters
    table.add_row("total", "", "", f"{cost.total_parameters:,}", f"{all_frozen:,}", count(cost.total_flops))
    if all_frozen:
        left = sum(flops for part, flops in cost.flops.items() if part not in cost.frozen)
        table.add_row("trained, and with features cached", "", "", f"{cost.trainable_parameters:,}", "", count(left))
    return table


def _shape(shape: Sequence[int]) -> str:
    return " x ".join(("b", *map(str, shape)))
