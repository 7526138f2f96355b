"""A run's record and weights in, its data and its fitted model out, as they were for its test."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from pydantic import ValidationError
from safetensors.torch import load_model
from torch import nn

from ablate.contract import Dataset, Model
from ablate.disk.stamp import stamp_of
from ablate.errors import AblateError
from ablate.execution.job import why
from ablate.recipe import Configuration
from ablate.result import RunRecord, Store
from ablate.study.running.train import build_model, fingerprint_of, open_data


@dataclass(frozen=True)
class OpenedRun:
    """A finished run. model: with its fitted weights, on the device of its data."""

    store: Store
    record: RunRecord
    configuration: Configuration
    dataset: Dataset
    model: Model


def opened_run(store: Store, key: str, device: torch.device, data: Sequence[Path] = ()) -> OpenedRun:
    """data: where its data lie now, if not where they lay. Raises AblateError where the run is not done, kept no
    weights, or its data are no longer what they were."""
    record = store.record(key)
    weights = store.weights(key)
    if record.state != "done" or weights is None:
        why = f"is {record.state}" if record.state != "done" else "kept no weights"
        raise AblateError(f"the run {why}, so there is no fitted model", where=str(store.folder(key)))
    configuration, dataset = opened_data(store, record, device, data)
    model = build_model(configuration, dataset, record.seed, device, fitted=True)
    load_weights(model, weights, device)
    return OpenedRun(store, record, configuration, dataset, model)


def opened_data(
    store: Store, record: RunRecord, device: torch.device, data: Sequence[Path] = ()
) -> tuple[Configuration, Dataset]:
    """What a run was trained with. data: where its data lie now. Raises AblateError where they are gone or others."""
    configuration, run = configuration_of(record), f"{record.variant} seed {record.seed}"
    if data:
        configuration = _moved(configuration, data)
    try:
        dataset = open_data(configuration, device)
    except AblateError as error:
        sources = configuration.data.sources()
        if not sources or stamp_of(sources):
            raise
        hint = "--data PATH names where they lie now; a relative path is also looked for below $ABLATE_DATA"
        raise AblateError(f"the data of {run} are not there: {why(error)}", where=str(store.root), hint=hint) from error
    if fingerprint_of(configuration, dataset, record.fold) != record.data_fingerprint:
        what = f"these are not the data of {run}" if data else f"the data of {run} changed since it was trained"
        raise AblateError(what, where=str(store.root), hint="bring the old data back, or train the study again")
    return configuration, dataset


def _moved(configuration: Configuration, places: Sequence[Path]) -> Configuration:
    """The same with its data read from other places. Raises AblateError for data that are made."""
    data, named = configuration.data, tuple(map(str, places))
    if "path" not in data.location_fields:
        hint = "leave it out: nothing is read from files"
        raise AblateError(f"the data of this run are of type {data.type}, which has no path", where="--data", hint=hint)
    try:
        return configuration.changed(data=data.changed(path=named[0] if len(named) == 1 else named))
    except ValidationError:
        raise AblateError(f"these data lie in one folder, {len(named)} were named", where="--data") from None


def configuration_of(record: RunRecord) -> Configuration:
    """The configuration that a run was trained with. Raises AblateError where this version cannot read it."""
    try:
        return Configuration.model_validate(record.config)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise AblateError(
            f"the configuration of {record.variant} seed {record.seed} cannot be read: {place}: {first['msg']}",
            where=f"run {record.key}",
            hint="it was written by another version of ablate",
        ) from None


def load_weights(model: nn.Module, weights: Path, device: torch.device) -> None:
    """Puts a run's weights into its model. Raises AblateError where they do not fit."""
    try:
        load_model(model, str(weights), device=str(device))
    except (RuntimeError, ValueError, OSError) as error:
        what = f"the weights do not fit the model: {str(error).splitlines()[0]}"
        raise AblateError(what, where=str(weights), hint="were they written by another version of ablate?") from None
