"""The user's own parts (`type: import`): which a configuration names, and what becomes of a fault in their code."""

import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from ablate.contract import DataSpec, EncodingSpec
from ablate.errors import AblateError
from ablate.model.causality import leaking_lag
from ablate.recipe import Configuration


def imported_targets(configuration: object) -> list[str]:
    """The `type: import` parts of a configuration: code that will run because the recipe names it."""
    if isinstance(configuration, dict):
        own = [str(configuration["target"])] if configuration.get("type") == "import" else []
        return own + [target for value in configuration.values() for target in imported_targets(value)]
    if isinstance(configuration, list | tuple):
        return [target for value in configuration for target in imported_targets(value)]
    return []


def refuse_leaks(configuration: Configuration, spec: DataSpec) -> None:
    """Raises AblateError if a model with parts of the user's sees what comes after a bin when it predicts it."""
    if not isinstance(spec, EncodingSpec):
        return
    with torch.random.fork_rng(devices=[]):
        lag = leaking_lag(configuration.model.build(spec), spec)
    if lag is not None:
        named = ", ".join(f"`{target}`" for target in imported_targets(configuration.model_dump()))
        raise AblateError(
            f"the model with {named} sees the future: the rate {lag} frames back changes with newer input",
            hint="pad in time on the old side alone, and let no mean, norm or attention reach beyond a bin",
        )


@contextmanager
def blame_own_parts(configuration: Configuration) -> Iterator[None]:
    """A fault raised while the model of a configuration with parts of the user's runs is theirs to fix: an AblateError
    with its place. Without such parts it is ours, and is raised as it is.
    """
    try:
        yield
    except (AblateError, MemoryError, torch.OutOfMemoryError):
        raise
    except Exception as fault:
        targets = list(dict.fromkeys(imported_targets(configuration.model_dump())))
        if not targets:
            raise
        named = ", ".join(f"`{target}`" for target in targets)
        what = f"the model with {named} cannot run: {type(fault).__name__}: {fault}"
        hint = "a part is called as its kind in ablate/contract says"
        raise AblateError(what + _place(fault, targets), hint=hint) from fault


def _place(fault: Exception, targets: list[str]) -> str:
    """The innermost line of the user's modules that the fault passed through; empty where it passed through none."""
    modules = [sys.modules.get(target.partition(":")[0]) for target in targets]
    files = {vars(module).get("__file__") for module in modules if module is not None}
    lines = [frame for frame in traceback.extract_tb(fault.__traceback__) if frame.filename in files]
    return f" ({Path(lines[-1].filename).name}, line {lines[-1].lineno})" if lines else ""
