"""What a training step takes of a device's memory: a line for all variants, a warning for each that is too large."""

from typing import TYPE_CHECKING

from ablate.analysis.words import memory
from ablate.cli.console import out, say

if TYPE_CHECKING:
    from ablate.study.memory import Predicted

ON_A_CPU = "; a CPU keeps more"


def print_memory(found: "Predicted", variants: int) -> None:
    """Prints what was predicted, if anything was. variants: how many the study has."""
    if not found.steps:
        return
    precisions = " and ".join(sorted({step.precision for step in found.steps.values()}))
    listed = ", ".join(f"{name} {memory(step.peak)}" for name, step in found.steps.items())
    if len(found.steps) < variants:
        listed += "; of the others by --cost"
    apart = ON_A_CPU if found.device == "cpu" else ""
    out().print(f"memory of a training step on a card, predicted ({precisions}{apart}): {listed}", markup=False)
    for problem in found.too_large:
        say(str(problem).replace("error: ", "warning: ", 1))
