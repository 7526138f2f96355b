"""A run's record and weights in, a `ModelPicture` out: the model is built and opened as it was for its test.

configuration -> data, model -> weights -> readouts, kernels, rates of three units, attention
"""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import nn

from ablate.analysis.best import main_rows
from ablate.analysis.outcome import StudyAnalysis, VariantAnalysis
from ablate.analysis.words import unit_of
from ablate.contract import Dataset
from ablate.result import RunRecord, Store
from ablate.result.picture import ModelPicture
from ablate.study.fitted.opened import opened_run
from ablate.study.picture.attention import attention_pictures
from ablate.study.picture.kernels import kernel_picture
from ablate.study.picture.rates import unit_pictures
from ablate.study.picture.readouts import readout_pictures
from ablate.training.evaluate import evaluating


@torch.no_grad()
def collect(store: Store, key: str, device: torch.device, data: Sequence[Path] = ()) -> ModelPicture:
    """The numbers behind a run's pictures. data: where its data lie now, if not where they lay. Raises AblateError
    where the run is not done or kept no weights."""
    run = opened_run(store, key, device, data)
    with evaluating(run.model):
        return _picture(run.record, run.model, run.dataset, store.units(key))


def _picture(record: RunRecord, model: nn.Module, dataset: Dataset, units: object) -> ModelPicture:
    return ModelPicture(
        key=record.key,
        variant=record.variant,
        seed=record.seed,
        unit=unit_of(record.test.metric) if record.test else "bits/spike",
        readouts=readout_pictures(model, dataset.spec, units),
        kernels=kernel_picture(model, dataset.spec),
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
