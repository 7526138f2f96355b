"""`ablate`: takes a recipe (a baseline model and a list of patches), gives a ranked table of which change is worth
having.

    load_recipe(path)      a recipe, read and checked
    run(path, ...)         trains what is missing
    results(folder)        what a study measured, as pandas frames
    judge(frame)           the same verdicts for runs that any program trained
    load(path)             a fitted model as a callable

`import ablate` loads nothing but this file.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pandas import DataFrame

    from ablate.analysis.outcome import StudyAnalysis
    from ablate.recipe import Recipe
    from ablate.report.writer.frames import Results
    from ablate.study.fitted.model import FittedModel

__version__ = "0.1.0"


def load_recipe(path: Path | str, sets: Sequence[str] = ()) -> "Recipe":
    """A recipe, read and checked: its baseline `configuration`, patches, references, variants and seeds.

    sets: `key=value` overrides, as `--set` of the command line. Raises AblateError with all that is wrong, each with
    its line.

    >>> recipe = load_recipe("recipes/quickstart.yaml", sets=["training.steps=50"])
    >>> recipe.baseline.core.type, recipe.training.steps, recipe.seeds
    ('vivit', 50, (20, 21, 22))
    >>> recipe.patches["p1"].expect
    (0.03, 0.05)
    """
    from ablate.recipe.load import load_recipe as loaded  # loads torch

    return loaded(path, sets)


def run(
    recipe: Path | str,
    *,
    out: Path | str = "results",
    data: Path | str | Sequence[Path | str] = (),
    seeds: str | Iterable[int] | None = None,
    variants: str | Iterable[str] | None = None,
    sets: Mapping[str, object] | Sequence[str] = (),
    **options: object,
) -> "Results":
    """Trains every run of a recipe that is missing in out/<its name>, and gives the results: `ablate run` from Python.

    data: recordings instead of the recipe's. seeds: [0, 1] or "0-4". variants: ["p1", "p1+p2"]. sets: overrides,
    {"training.steps": 100}. options: those of `ablate run` by name: device, quick, workers, inline (train in this
    process), until, confirm, ...
    Raises AblateError for what a person can fix, and warns of runs that gave no score.
    """
    from ablate.study.python import run as trained

    return trained(recipe, out=out, data=data, seeds=seeds, variants=variants, sets=sets, **options)


def results(folder: Path | str) -> "Results":
    """What a study measured, as pandas frames: `ranking` (a row a variant, as reported), `records` (a row a run),
    `units` (a row a run and unit), `curves` (a row a logged step). Loads no torch.

    Raises AblateError where the folder holds no study.

    >>> found = results("results/quickstart")
    >>> found.records.columns[:5].tolist()
    ['variant', 'role', 'seed', 'state', 'score']
    >>> by_variant = found.records.groupby("variant").score.mean()
    >>> bool(by_variant["baseline"] > by_variant["glm"])
    True
    >>> found.ranking.columns[:5].tolist()
    ['study', 'status', 'metric', 'rank', 'variant']
    """
    from ablate.report.writer.frames import Results as Opened

    return Opened(folder)


def judge(frame: "DataFrame", **choice: object) -> "StudyAnalysis":
    """The verdicts on runs that any program trained: a pandas frame with columns variant, seed and score.

    choice: `score`, `variant`, `seed` (names of columns), `baseline` (a variant), `lower_is_better`, `worth` (a share),
    `expect` (variant -> expected relative gain, low and high). Raises AblateError for what could be read in two ways.

    >>> import pandas as pd
    >>> scores = {"plain": [0.50, 0.51, 0.49], "wide": [0.60, 0.62, 0.61]}
    >>> rows = [(name, seed, score) for name, all in scores.items() for seed, score in enumerate(all)]
    >>> frame = pd.DataFrame(rows, columns=["variant", "seed", "accuracy"])
    >>> analysis = judge(frame, score="accuracy", baseline="plain")
    >>> [(row.name, row.verdict) for row in analysis.rows]
    [('wide', 'helps'), ('plain', 'baseline')]
    """
    from ablate.analysis.judge import judge as judged  # `import ablate` stays light

    return judged(frame, **choice)


def load(
    path: Path | str, *, variant: str | None = None, seed: int | None = None, device: str = "cpu"
) -> "FittedModel":
    """A fitted model: `model(stimulus, behavior)` gives the rates (t, u), expected spikes a bin.

    path: a folder that `ablate export` wrote; or a study's folder with variant and seed, or a run's. device: cpu, cuda,
    mps or auto. Raises AblateError where weights are gone, damaged or do not fit.
    """
    from ablate.study.fitted.load import load as loaded  # loads torch

    return loaded(path, variant=variant, seed=seed, device=device)
