"""A model and a split in; its score and the table of its entries out. Used for validation and for the test."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from ablate.contract import Dataset, Model, Split
from ablate.result.record import Score
from ablate.training.device import Precision, autocast
from ablate.training.ranks import ALONE, Ranks
from ablate.training.score import EntryTable, scorer_for
from ablate.training.seed import seeded

EVALUATION_SEED = 0  # a model that draws in evaluation draws the same each time, and leaves the training's draws alone


@torch.no_grad()
def evaluate(
    model: Model,
    dataset: Dataset,
    split: Split,
    *,
    batch_size: int,
    device: torch.device,
    precision: Precision = "auto",
    ranks: Ranks = ALONE,
) -> tuple[Score, EntryTable]:
    """Scores every entry of a split once. The data set lies on `device` already, as its `open` left it.

    ranks: share the batches, and all of them know the score.
    """
    scorer, empty = (scorer_for(dataset.spec, metric=dataset.metric, min_spikes=dataset.min_spikes) for _ in range(2))
    with evaluating(model), seeded(EVALUATION_SEED):
        for batch in ranks.own(dataset.sweep(split, batch_size=batch_size)):
            with autocast(device, precision):
                predictions = model(batch)
            scorer.add(predictions, batch)
    scorer = ranks.merged(scorer, empty)
    score = scorer.score(dataset.scored_hash(split), dataset.attainable(split), dataset.floor(split))
    return score.model_copy(update={"attainable_accuracy": dataset.attainable_accuracy(split)}), scorer.units()


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Evaluation mode inside; each module's own mode as it was outside."""
    modes = {module: module.training for module in model.modules()}
    model.eval()
    try:
        yield
    finally:
        for module, training in modes.items():
            module.training = training
