"""A run's record and weights in, its data and its fitted model out, as they were for its test."""

from dataclasses import dataclass
from pathlib import Path

import torch
from pydantic import ValidationError
from safetensors.torch import load_model
from torch import nn

from ablate.contract import Dataset, Model
from ablate.errors import AblateError
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


def opened_run(store: Store, key: str, device: torch.device) -> OpenedRun:
    """Raises AblateError where the run is not done, kept no weights, or its data are no longer what they were."""
    record = store.record(key)
    weights = store.weights(key)
    if record.state != "done" or weights is None:
        why = f"is {record.state}" if record.state != "done" else "kept no weights"
        raise AblateError(f"the run {why}, so there is no fitted model", where=str(store.folder(key)))
    configuration = configuration_of(record)
    dataset = open_data(configuration, device)
    if fingerprint_of(configuration, dataset, record.fold) != record.data_fingerprint:
        what = f"the data of {record.variant} seed {record.seed} changed since it was trained"
        raise AblateError(what, where=str(store.root), hint="bring the old data back, or train the study again")
    model = build_model(configuration, dataset, record.seed, device, fitted=True)
    load_weights(model, weights, device)
    return OpenedRun(store, record, configuration, dataset, model)


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
