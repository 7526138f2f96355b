"""An opened run on trials in; of every trial the probability of each class, or mean and sd of each number, out."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ablate.contract import FusionBatch, FusionSpec, Target
from ablate.data.trials.opened.dataset import TrialDataset
from ablate.errors import AblateError
from ablate.result.record import Score
from ablate.study.fitted.opened import OpenedRun
from ablate.training.device import autocast
from ablate.training.evaluate import EVALUATION_SEED, evaluating
from ablate.training.loss import LOWEST_LOG_SD
from ablate.training.score import scorer_for
from ablate.training.seed import seeded

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class TrialPredictions:
    """A row a label: a trial, or an interval of one. subject, trial, split: (N,) names. place: (N,) of the label in its
    trial. score: of these very predictions on the test split; recorded: what the run's record says."""

    subject: NDArray[np.str_]
    trial: NDArray[np.str_]
    split: NDArray[np.str_]
    place: NDArray[np.int64]
    score: Score
    recorded: Score | None

    def columns(self) -> dict[str, np.ndarray]:
        """What there is one of a row, by name (N,)."""
        return {"subject": self.subject, "trial": self.trial, "split": self.split, "place": self.place}

    def of_subject(self, name: str) -> Self:
        """Those of one subject. Raises AblateError for one that the run does not know."""
        own = self.subject == name
        if not own.any():
            known = ", ".join(dict.fromkeys(self.subject.tolist()))
            raise AblateError(f"the run knows no subject {name!r}", where="session", hint=f"its subjects are {known}")
        parts = {field.name: getattr(self, field.name) for field in fields(self)}
        return replace(self, **{key: part[own] for key, part in parts.items() if isinstance(part, np.ndarray)})


@dataclass(frozen=True)
class LabelPredictions(TrialPredictions):
    """label: (N,) class index, -1 where none is known. probability: (N, classes)."""

    classes: tuple[str, ...]
    label: NDArray[np.int64]
    probability: NDArray[np.float64]

    @property
    def guess(self) -> NDArray[np.int64]:
        """The most probable class (N,)."""
        return np.asarray(self.probability.argmax(axis=1), dtype=np.int64)

    def columns(self) -> dict[str, np.ndarray]:
        return {**super().columns(), "label": self.label, "guess": self.guess}


@dataclass(frozen=True)
class RatingPredictions(TrialPredictions):
    """A row for each target too. target: (N,) its name. value: (N,) what was rated, NaN where nothing was; mean, sd:
    (N,) of the Gaussian that the model predicts. All in the target's own unit."""

    target: NDArray[np.str_]
    value: NDArray[np.float64]
    mean: NDArray[np.float64]
    sd: NDArray[np.float64]

    def columns(self) -> dict[str, np.ndarray]:
        own = {"target": self.target, "value": self.value, "mean": self.mean, "sd": self.sd}
        return {**super().columns(), **own}


@dataclass(frozen=True)
class Asked:
    """One batch of a split, and what the model says of it. names: of its trials, in order."""

    split: str
    names: list[str]
    batch: FusionBatch
    predictions: tuple[Tensor, ...]


@torch.no_grad()
def predict_trials(run: OpenedRun) -> LabelPredictions | RatingPredictions:
    """Of all trials of train, validation and test, in batches of the training's size, as the test was scored.

    Raises AblateError for data of one's own whose trials cannot be asked for one by one.
    """
    data, spec = run.dataset, run.dataset.spec
    if not (isinstance(data, TrialDataset) and isinstance(spec, FusionSpec)):
        raise AblateError("these data do not give their trials one by one", where=str(run.store.folder(run.record.key)))
    scorer, tables = scorer_for(spec, metric=data.metric), list[dict[str, np.ndarray]]()
    rows_of = _rated if spec.task == "values" else _labelled
    with evaluating(run.model), seeded(EVALUATION_SEED):
        for asked in _asked(run, data):
            tables += rows_of(asked, spec)
            if asked.split == "test":
                scorer.add(asked.predictions, asked.batch)
    score = scorer.score(data.scored_hash("test"))
    columns = {name: np.concatenate([table[name] for table in tables]) for name in tables[0]}
    if spec.task == "values":
        return RatingPredictions(**columns, score=score, recorded=run.record.test)
    classes = spec.class_names or tuple(map(str, range(spec.classes)))
    return LabelPredictions(**columns, classes=classes, score=score, recorded=run.record.test)


def _asked(run: OpenedRun, data: TrialDataset) -> Iterator[Asked]:
    size, device = run.configuration.training.micro_batch_size, run.model.device
    for split in SPLITS:
        trials = data.splits[split]
        order = np.argsort(trials.session, kind="stable")
        for start in range(0, len(order), size):
            rows = order[start : start + size]
            batch = data.batch(split, rows)
            with autocast(device, run.configuration.training.precision):
                predictions = run.model(batch)
            yield Asked(split, [trials.trial_ids[row] for row in rows], batch, predictions)


def _labelled(asked: Asked, spec: FusionSpec) -> Iterator[dict[str, np.ndarray]]:
    """The columns of each target of a batch."""
    for prediction, target, there, told in _by_target(asked, spec):
        probability = prediction.double().softmax(dim=-1).cpu().numpy()
        label = np.where(target.valid.cpu().numpy(), target.values.long().cpu().numpy(), -1)
        yield {**told, "label": label[there], "probability": probability[there]}


def _rated(asked: Asked, spec: FusionSpec) -> Iterator[dict[str, np.ndarray]]:
    """The same of numbers, each target of a place in a row of its own."""
    shift, scale = (np.array([getattr(one, name) for one in spec.targets]) for name in ("mean", "sd"))
    names = np.array([one.name for one in spec.targets])
    for prediction, target, there, told in _by_target(asked, spec):
        said = prediction.double().cpu().numpy()[there]  # (n, k, 2)
        value = np.where(target.valid.cpu().numpy(), target.values.double().cpu().numpy(), np.nan)[there]
        sd = scale * np.exp(np.maximum(said[..., 1], LOWEST_LOG_SD))
        yield {
            **{name: np.repeat(column, len(names)) for name, column in told.items()},
            "target": np.tile(names, len(said)),
            "value": (shift + scale * value).ravel(),
            "mean": (shift + scale * said[..., 0]).ravel(),
            "sd": sd.ravel(),
        }


def _by_target(
    asked: Asked, spec: FusionSpec
) -> Iterator[tuple[Tensor, Target, NDArray[np.bool_], dict[str, np.ndarray]]]:
    """Prediction and target of each subject in a batch, which places its trials have (b, n), and the columns that name
    them."""
    done = 0
    for prediction, target in zip(asked.predictions, asked.batch.targets, strict=True):
        trials, places = target.valid.shape[:2]
        there = np.ones((trials, places), dtype=np.bool_)
        if asked.batch.lasting is not None and places > 1:  # an interval beyond the end of a trial is none
            there = asked.batch.lasting[done : done + trials].cpu().numpy()
        row, place = np.nonzero(there)
        told = {
            "subject": np.full(len(row), spec.session_names[target.session]),
            "trial": np.array(asked.names[done : done + trials])[row],
            "split": np.full(len(row), asked.split),
            "place": place,
        }
        yield prediction, target, there, told
        done += trials
