"""An opened run, or a fitted model and a stimulus, in; the rate of every bin and unit out, beside what was counted."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import torch

from ablate.contract import EncodingBatch, SessionWindows, Split, Target
from ablate.data.encoding.batches import EncodingDataset
from ablate.data.encoding.split import TEST, TRAIN, VALIDATION
from ablate.data.recording import read_recording
from ablate.data.recording.array_file import map_array
from ablate.disk.absent import absent
from ablate.result.record import Score
from ablate.study.fitted.given import check_rate
from ablate.study.fitted.load import fitted
from ablate.study.fitted.model import FittedModel
from ablate.study.fitted.opened import OpenedRun
from ablate.training import scorer_for

SPLITS = {TRAIN: "train", VALIDATION: "validation", TEST: "test"}


@dataclass(frozen=True)
class Predictions:
    """One session. rate: (t, u) expected spikes a bin, NaN where there is too little history. time: (t,) start of each
    bin, s. units: (u,) columns of spikes.npy. spikes, valid: (t, u), where they are known. split: (t,) train,
    validation, test or unused; scored: (t,) whether a split's score counts the bin; of the run's own recordings."""

    session: str
    bin_rate_hz: float
    rate: np.ndarray
    spikes: np.ndarray | None = None
    valid: np.ndarray | None = None
    split: np.ndarray | None = None
    scored: np.ndarray | None = None

    @property
    def time(self) -> np.ndarray:
        return np.arange(len(self.rate)) / self.bin_rate_hz

    @property
    def units(self) -> np.ndarray:
        return np.arange(self.rate.shape[1])

    def known(self) -> dict[str, np.ndarray]:
        """What is known beside the rates, by name."""
        found = {"spikes": self.spikes, "valid": self.valid, "split": self.split, "scored": self.scored}
        return {name: part for name, part in found.items() if part is not None}


@dataclass(frozen=True)
class OwnPredictions:
    """Of a run's own recordings. score: of these very rates on the test split; recorded: what the run's record says."""

    sessions: tuple[Predictions, ...]
    score: Score
    recorded: Score | None
    model: FittedModel = field(repr=False)


def predict_own(run: OpenedRun, session: str | None = None) -> OwnPredictions:
    """Rates of the recordings that the run was fitted to and tested on, all or one of them."""
    model, data = fitted(run), run.dataset
    assert isinstance(data, EncodingDataset), "or `fitted` would have refused it"
    wanted = range(len(data.recordings)) if session is None else [model.session_number(session)]
    found, scorer = [], scorer_for(data.spec, metric=data.metric, min_spikes=data.min_spikes)
    for number in wanted:
        one = _own(model, data, number)
        found.append(one)
        scorer.add((torch.from_numpy(one.rate[data.bins("test")[number]]).log()[:, None],), _scored(data, number))
    score = scorer.score(data.scored_hash("test"))
    return OwnPredictions(tuple(found), score, run.record.test if session is None else None, model)


def _own(model: FittedModel, data: EncodingDataset, number: int) -> Predictions:
    recording, split = data.recordings[number], data.splits[number]
    counted = np.asarray(data.counted(number, np.arange(recording.frames)))
    rate = model(
        recording.stimulus,
        recording.behavior,
        spikes=recording.spikes,
        valid=counted,
        split=split.label,
        trials=split.run_start,
        session=number,
    ).numpy()
    scored = np.zeros(len(rate), bool)
    splits: tuple[Split, ...] = ("validation", "test")
    for name in splits:
        scored[data.bins(name)[number]] = True
    return Predictions(
        session=recording.name,
        bin_rate_hz=recording.bin_rate_hz,
        rate=rate,
        spikes=np.asarray(recording.spikes),
        valid=counted,
        split=np.array([SPLITS.get(label, "unused") for label in split.label.tolist()]),
        scored=scored,
    )


def _scored(data: EncodingDataset, number: int) -> EncodingBatch:
    """The test split of one session as a batch of one bin a row."""
    bins = data.bins("test")[number]
    counts = torch.from_numpy(np.asarray(data.recordings[number].spikes[bins], np.float32))[:, None]
    valid = torch.from_numpy(np.asarray(data.counted(number, bins)))[:, None]
    target = Target(number, counts, valid, newest=torch.as_tensor(bins))
    nothing = torch.zeros(len(bins), 1, 1, 1, 1)
    return EncodingBatch((SessionWindows(number, nothing, None, target),), (0,))


def predict_recording(model: FittedModel, folder: Path, session: str | None = None) -> Predictions:
    """Rates of another recording: what the units of a session would have done.

    Raises AblateError where it does not fit. Its spikes stand beside the rates where they are of as many units.
    """
    number = model.session_number(session)
    facts = model.facts.sessions[number]
    recording = read_recording(folder)
    check_rate(facts, recording.bin_rate_hz)
    trials = recording.trials if model.data.split.kind == "trials" else None
    rate = model(
        recording.stimulus,
        recording.behavior,
        spikes=recording.spikes,
        valid=recording.valid,
        trials=trials,
        session=number,
    ).numpy()
    same = recording.units == facts.units
    valid = np.ones(rate.shape, bool) if recording.valid is None else np.asarray(recording.valid)
    return Predictions(
        session=recording.name,
        bin_rate_hz=facts.bin_rate_hz,
        rate=rate,
        spikes=np.asarray(recording.spikes) if same else None,
        valid=valid if same else None,
    )


def predict_files(
    model: FittedModel,
    stimulus: Path,
    behavior: Path | None,
    spikes: Path | None = None,
    *,
    session: str | None = None,
    bin_rate_hz: float | None = None,
) -> Predictions:
    """Rates of a stimulus.npy (t, h, w), behavior.npy (t, k) and, for a model with spike history, spikes.npy (t, u).

    Raises AblateError for files that do not fit."""
    number = model.session_number(session)
    facts = model.facts.sessions[number]
    arrays = [None if path is None else _file(path) for path in (stimulus, behavior, spikes)]
    rate = model(arrays[0], arrays[1], spikes=arrays[2], session=number, bin_rate_hz=bin_rate_hz).numpy()
    return Predictions(session=facts.name, bin_rate_hz=facts.bin_rate_hz, rate=rate)


def _file(path: Path) -> np.ndarray:
    if not path.is_file():
        raise absent(path, "there is no such file")
    return map_array(path)
