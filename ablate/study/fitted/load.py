"""The folder of an export, or a finished run, in; its model as a callable out."""

from collections.abc import Sequence
from pathlib import Path

import torch
from pydantic import ValidationError

from ablate.contract import Model
from ablate.data import EncodingDataConfig
from ablate.disk.digest import file_hash
from ablate.disk.read import read_bytes
from ablate.errors import AblateError
from ablate.recipe import Configuration
from ablate.result.store.named import named_run
from ablate.study.fitted.facts import FORMAT, ModelFacts, facts_of
from ablate.study.fitted.model import FittedModel
from ablate.study.fitted.opened import OpenedRun, load_weights, opened_run
from ablate.training import pick_device
from ablate.training.likelihood import with_likelihood

FACTS, WEIGHTS = "model.json", "weights.safetensors"
"""Files of an export that a model is made of."""


def load(
    path: Path | str,
    *,
    variant: str | None = None,
    seed: int | None = None,
    device: str = "cpu",
    data: Sequence[Path] = (),
) -> FittedModel:
    """A fitted model: call it with a stimulus (t, h, w) and, where it reads any, behaviour (t, k).

    path: a folder written by `ablate export`, which needs neither recipe nor data; or a run's folder, or a study's with
    variant and seed. data: where that run's data lie now, if not where they lay. Raises AblateError where weights are
    gone, damaged or do not fit, and where a part of one's own cannot be imported.
    """
    folder = Path(path).expanduser()
    if is_export(folder):
        if variant is not None or seed is not None or data:
            what = "an export holds one model and needs no data"
            raise AblateError(what, where=str(folder), hint="leave variant, seed and data out")
        return load_export(folder, pick_device(device))
    return fitted(opened_run(*named_run(folder, variant, seed), pick_device(device), data))


def is_export(folder: Path) -> bool:
    """Whether the folder was written by `ablate export`."""
    return (folder / FACTS).is_file()


def fitted(run: OpenedRun) -> FittedModel:
    """The model of an opened run. Raises AblateError for one that predicts labels."""
    return FittedModel(run.model, facts_of(run), run.configuration)


def load_export(folder: Path, device: torch.device) -> FittedModel:
    """From what `ablate export` wrote. Raises AblateError where a file is missing, damaged or of another version."""
    facts = _facts(folder / FACTS)
    weights = folder / WEIGHTS
    if not weights.is_file():
        raise AblateError(f"{WEIGHTS} is missing", where=str(folder), hint="export the run again")
    if file_hash(weights) != facts.weights_blake2b:
        raise AblateError("is not the file that was exported", where=str(weights), hint="export the run again")
    try:
        configuration = Configuration.model_validate(facts.configuration)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        what = f"the configuration cannot be read: {'.'.join(map(str, first['loc']))}: {first['msg']}"
        hint = "it was written by another version of ablate"
        raise AblateError(what, where=str(folder / FACTS), hint=hint) from None
    behaves = isinstance(configuration.data, EncodingDataConfig) and configuration.data.behavior != "none"
    spec = facts.spec(behavior=behaves)
    model: Model = with_likelihood(configuration.model.build(spec), configuration.training, spec)
    load_weights(model, weights, torch.device("cpu"))
    return FittedModel(model.to(device), facts, configuration)


def _facts(path: Path) -> ModelFacts:
    try:
        facts = ModelFacts.model_validate_json(read_bytes(path))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        what = f"is damaged: {'.'.join(map(str, first['loc']))}: {first['msg']}"
        raise AblateError(what, where=str(path), hint="export the run again") from None
    if facts.format != FORMAT:
        raise AblateError(f"has format {facts.format}; this version reads {FORMAT}", where=str(path))
    return facts
