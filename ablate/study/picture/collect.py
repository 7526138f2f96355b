"""A run's record and weights in, a `ModelPicture` out: the model is built and opened as it was for its test.

configuration -> data, model -> weights -> readouts, kernels, rates of three units, attention
"""

from typing import Any

import torch
from pydantic import ValidationError
from safetensors.torch import load_model
from torch import nn

from ablate.analysis import StudyAnalysis, VariantAnalysis
from ablate.analysis.best import main_rows
from ablate.analysis.words import unit_of
from ablate.contract import Dataset
from ablate.errors import AblateError
from ablate.recipe import Configuration
from ablate.result import RunRecord, Store
from ablate.result.picture import ModelPicture
from ablate.study.picture.attention import attention_pictures
from ablate.study.picture.kernels import kernel_picture
from ablate.study.picture.rates import unit_pictures
from ablate.study.picture.readouts import readout_pictures
from ablate.study.train import build_model, open_data
from ablate.training.evaluate import evaluating


@torch.no_grad()
def collect(store: Store, key: str, device: torch.device) -> ModelPicture:
    """The numbers behind a run's pictures. Raises AblateError where the run is not done or kept no weights."""
    record = store.record(key)
    weights = store.weights(key)
    if record.state != "done" or weights is None:
        why = f"is {record.state}" if record.state != "done" else "kept no weights"
        raise AblateError(f"the run {why}, so there is no fitted model to draw", where=str(store.folder(key)))
    dataset, model = _opened(record, device)
    try:
        load_model(model, str(weights), device=str(device))
    except (RuntimeError, ValueError, OSError) as error:
        what = f"the weights do not fit the model: {str(error).splitlines()[0]}"
        raise AblateError(what, where=str(weights), hint="were they written by another version of ablate?") from None
    with evaluating(model):
        return _picture(record, model, dataset, store.units(key))


def _opened(record: RunRecord, device: torch.device) -> tuple[Dataset, nn.Module]:
    try:
        configuration = Configuration.model_validate(record.config)
    except ValidationError as error:
        what = f"the run's configuration is no longer valid: {str(error).splitlines()[0]}"
        raise AblateError(what, where=record.key, hint="it was written by another version of ablate") from None
    dataset = open_data(configuration, device)
    return dataset, build_model(configuration, dataset, record.seed, device)


def _picture(record: RunRecord, model: nn.Module, dataset: Dataset, units: Any) -> ModelPicture:
    return ModelPicture(
        key=record.key,
        variant=record.variant,
        seed=record.seed,
        unit=unit_of(record.test.metric) if record.test else "bits/spike",
        readouts=readout_pictures(model, dataset, units),
        kernels=kernel_picture(model, dataset),
        units=unit_pictures(model, dataset, units),
        attention=attention_pictures(model, dataset),
    )


def main_runs(analysis: StudyAnalysis, store: Store) -> tuple[str, ...]:
    """The runs that a report shows: baseline, target reference and best variant, the first finished seed of each."""
    found = (_finished(row, store) for row in main_rows(analysis))
    return tuple(key for key in found if key is not None)


def _finished(row: VariantAnalysis, store: Store) -> str | None:
    done = dict(row.by_seed)
    keys = (key for seed, key in row.keys if seed in done)
    return next((key for key in keys if store.weights(key) is not None), None)
