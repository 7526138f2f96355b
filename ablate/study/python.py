"""`ablate.run`: a recipe and the options of `ablate run` in Python's types in, the study's results out."""

import warnings
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ablate.report.writer.frames import Results
from ablate.request import Request
from ablate.study.flow import run_study

MOST_TOLD = 3


def run(
    recipe: Path | str,
    *,
    out: Path | str = "results",
    data: Path | str | Sequence[Path | str] = (),
    seeds: str | Iterable[int] | None = None,
    variants: str | Iterable[str] | None = None,
    sets: Mapping[str, object] | Sequence[str] = (),
    **options: Any,  # fields of Request, which has a type for each
) -> Results:
    """Trains what is missing and gives the results. Runs that failed are warned of, and are rows of `records`.

    options: the other fields of `ablate.request.Request`: device, quick, workers, inline, until, confirm, ...
    Raises AblateError for what a person can fix, KeyboardInterrupt when interrupted; both keep finished runs.
    """
    request = Request(
        recipe=Path(recipe),
        out=Path(out),
        data=tuple(map(Path, (data,) if isinstance(data, str | Path) else data)),
        seeds=_listed(seeds),
        variants=_listed(variants),
        sets=tuple(f"{key}={_yaml(value)}" for key, value in sets.items())
        if isinstance(sets, Mapping)
        else tuple(sets),
        **options,
    )
    request.until_settled()
    request.check_confirmation()
    end = run_study(request)
    if end.interrupted:
        raise KeyboardInterrupt
    if end.failures:
        told = "; ".join(f"{job.label}: {outcome.reason}" for job, outcome in end.failures[:MOST_TOLD])
        warnings.warn(f"{len(end.failures)} runs gave no score: {told}", stacklevel=3)
    return Results(end.study.store.root)


def _listed(values: str | Iterable[object] | None) -> str | None:
    return values if values is None or isinstance(values, str) else ",".join(map(str, values))


def _yaml(value: object) -> str:
    """As `--set` reads it: YAML in one line."""
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_yaml(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_yaml, value)) + "]"
    return str(value)
