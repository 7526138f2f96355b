"""One setting of a recipe in, one row of its regime's log out: what the baseline alone reaches there, on validation.

A recipe's regime is chosen by its baseline, floor and ceiling, before any patch is trained in it. So this trains
nothing but the baseline, never scores the test split, and adds its row to the log whether the setting pleases or not.
A reference (`--variant resnet`) is tuned the same way, since a target that nobody tuned is no target.

    python tests/benchmarks/regime.py recipes/quickstart.yaml --seeds 0-2 --log results/quickstart/regime.md \\
        --name K --set data.window=64 --set training.batch_size=24

of the ceiling   validation score of the true rates
floor            what contrast and behaviour score without a receptive field, share of the ceiling
rise             how much of the final score the last quarter of the steps still added, mean over the seeds
spread           standard deviation of the seeds over their mean
-                not known: no floor, or one seed
"""

import argparse
import math
import resource
import statistics
from pathlib import Path

import torch

from ablate.contract import Dataset
from ablate.recipe import load_recipe
from ablate.request import Request
from ablate.result.record import Score
from ablate.study.running.train import build_model, open_data
from ablate.training import fit
from ablate.training.evaluate import evaluate
from ablate.variant import lay_out

HEAD = """| setting | changed | validation, by seed | ceiling | floor | of the ceiling | rise | spread | CPU s a run |
|---|---|---|---|---|---|---|---|---|
"""
CPU = torch.device("cpu")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("recipe", type=Path)
    options.add_argument("--name", required=True)
    options.add_argument("--set", action="append", default=[], dest="sets", metavar="KEY=VALUE")
    options.add_argument("--variant", default="baseline", help="which variant is trained: the baseline, or a reference")
    options.add_argument("--seeds", default="0-2")
    options.add_argument("--log", type=Path, required=True)
    asked = options.parse_args()
    torch.set_num_threads(1)
    seeds = Request(asked.recipe, seeds=asked.seeds).seed_list() or ()
    row = measured(asked.recipe, asked.name, tuple(asked.sets), seeds, variant=asked.variant)
    if not asked.log.exists():
        asked.log.parent.mkdir(parents=True, exist_ok=True)
        asked.log.write_text(HEAD, encoding="utf-8")
    with asked.log.open("a", encoding="utf-8") as log:
        log.write(row)
    print(row, end="")


def measured(
    recipe: Path, name: str, sets: tuple[str, ...], seeds: tuple[int, ...], *, variant: str = "baseline"
) -> str:
    """The row of one setting; trains the variant once a seed."""
    found = {each.name: each for each in lay_out(load_recipe(recipe, sets=sets)).variants}
    if variant not in found:
        raise SystemExit(f"{recipe} has no variant {variant}; it has {', '.join(found)}")
    configuration = found[variant].configuration
    dataset = open_data(configuration, CPU)
    finals, rises, seconds = [], [], []
    for seed in seeds:
        begun = cpu_seconds()
        result = fit(
            build_model(configuration, dataset, seed, CPU), dataset, configuration.training, seed=seed, device=CPU
        )
        seconds.append(cpu_seconds() - begun)
        curve = [(row["step"], row["validation"]) for row in result.history if "validation" in row]
        finals.append(curve[-1][1])
        rises.append(rise(curve, configuration.training.steps))
    ceiling, floor = known(result.model, dataset, configuration.training.micro_batch_size)
    spread = statistics.stdev(finals) / statistics.fmean(finals) if len(finals) > 1 else float("nan")
    cells = (
        name,
        ", ".join(sets) or "as the recipe says",
        " ".join(f"{final:.3f}" for final in finals),
        told(ceiling, ".3f"),
        told(100 * floor / ceiling, ".0f", " %"),
        told(100 * statistics.fmean(finals) / ceiling, ".1f", " %"),
        told(100 * statistics.fmean(rises), "+.1f", " %"),
        told(100 * spread, ".1f", " %"),
        f"{statistics.fmean(seconds):.1f}",
    )
    return "| " + " | ".join(cells) + " |\n"


def told(number: float, form: str, unit: str = "") -> str:
    """The number as text, `-` for one that is not known."""
    return "-" if math.isnan(number) else f"{number:{form}}{unit}"


def rise(curve: list[tuple[int, float]], steps: int) -> float:
    """Share of the last score that was not there yet at three quarters of the steps."""
    before = [score for step, score in curve if step <= 0.75 * steps]
    return 1 - before[-1] / curve[-1][1] if before else float("nan")


def known(model: torch.nn.Module, dataset: Dataset, batch_size: int) -> tuple[float, float]:
    """Ceiling and floor on validation; NaN where truth is not known."""
    score: Score = evaluate(model, dataset, "validation", batch_size=batch_size, device=CPU)[0]
    return score.attainable or float("nan"), score.floor or float("nan")


def cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    main()
