"""An opened run that predicts labels in; the probability of each class for every trial of its data out."""

from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from ablate.contract import FusionBatch, FusionSpec
from ablate.data.trials.opened.dataset import TrialDataset
from ablate.errors import AblateError
from ablate.result.record import Score
from ablate.study.fitted.opened import OpenedRun
from ablate.training.device import autocast
from ablate.training.evaluate import EVALUATION_SEED, evaluating
from ablate.training.score import scorer_for
from ablate.training.seed import seeded

SPLITS = ("train", "validation", "test")


@dataclass(frozen=True)
class TrialPredictions:
    """A row a label: a trial, or an interval of one. subject, trial, split: (N,) names. place: (N,) of the label in its
    trial. label: (N,) class index, -1 where none is known. probability: (N, classes).

    score: of these very probabilities on the test split; recorded: what the run's record says.
    """

    classes: tuple[str, ...]
    subject: NDArray[np.str_]
    trial: NDArray[np.str_]
    split: NDArray[np.str_]
    place: NDArray[np.int64]
    label: NDArray[np.int64]
    probability: NDArray[np.float64]
    score: Score
    recorded: Score | None

    @property
    def guess(self) -> NDArray[np.int64]:
        """The most probable class (N,)."""
        return np.asarray(self.probability.argmax(axis=1), dtype=np.int64)

    def columns(self) -> dict[str, np.ndarray]:
        """What there is one of a label, by name (N,)."""
        return {
            "subject": self.subject,
            "trial": self.trial,
            "split": self.split,
            "place": self.place,
            "label": self.label,
            "guess": self.guess,
        }

    def of_subject(self, name: str) -> "TrialPredictions":
        """Those of one subject. Raises AblateError for one that the run does not know."""
        own = self.subject == name
        if not own.any():
            known = ", ".join(dict.fromkeys(self.subject.tolist()))
            raise AblateError(f"the run knows no subject {name!r}", where="session", hint=f"its subjects are {known}")
        return replace(
            self,
            subject=self.subject[own],
            trial=self.trial[own],
            split=self.split[own],
            place=self.place[own],
            label=self.label[own],
            probability=self.probability[own],
        )


@torch.no_grad()
def predict_trials(run: OpenedRun) -> TrialPredictions:
    """Of all trials of train, validation and test, in batches of the training's size, as the test was scored.

    Raises AblateError for data of one's own whose trials cannot be asked for one by one.
    """
    data, spec = run.dataset, run.dataset.spec
    if not (isinstance(data, TrialDataset) and isinstance(spec, FusionSpec)):
        raise AblateError("these data do not give their trials one by one", where=str(run.store.folder(run.record.key)))
    size, device = run.configuration.training.micro_batch_size, run.model.device
    scorer, tables = scorer_for(spec, metric=data.metric), []
    with evaluating(run.model), seeded(EVALUATION_SEED):
        for split in SPLITS:
            trials = data.splits[split]
            order = np.argsort(trials.session, kind="stable")
            for start in range(0, len(order), size):
                rows = order[start : start + size]
                batch = data.batch(split, rows)
                with autocast(device, run.configuration.training.precision):
                    predictions = run.model(batch)
                tables += _columns(batch, predictions, split, [trials.trial_ids[row] for row in rows], spec)
                if split == "test":
                    scorer.add(predictions, batch)
    subject, trial, split_names, place, label, probability = (
        np.concatenate(part) for part in zip(*tables, strict=True)
    )
    return TrialPredictions(
        spec.class_names or tuple(map(str, range(spec.classes))),
        subject,
        trial,
        split_names,
        place,
        label,
        probability,
        score=scorer.score(data.scored_hash("test")),
        recorded=run.record.test,
    )


def _columns(
    batch: FusionBatch,
    predictions: tuple[torch.Tensor, ...],
    split: str,
    names: list[str],
    spec: FusionSpec,
) -> list[tuple[np.ndarray, ...]]:
    """Those of each target of a batch. names: of its trials, in order."""
    found: list[tuple[np.ndarray, ...]] = []
    done = 0
    for prediction, target in zip(predictions, batch.targets, strict=True):
        probability = prediction.double().softmax(dim=-1).cpu().numpy()
        trials, labels, classes = probability.shape
        label = np.where(target.valid.cpu().numpy(), target.values.long().cpu().numpy(), -1)
        count = trials * labels
        found.append(
            (
                np.full(count, spec.session_names[target.session]),
                np.repeat(names[done : done + trials], labels),
                np.full(count, split),
                np.tile(np.arange(labels), trials),
                label.reshape(count),
                probability.reshape(count, classes),
            )
        )
        done += trials
    return found
