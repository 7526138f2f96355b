"""All that a fitted model needs beside its weights, as plain data: `model.json` of an export."""

import numpy as np

from ablate.config import Config
from ablate.contract import EncodingSpec, SessionSpec
from ablate.data.encoding.batches import EncodingDataset
from ablate.data.encoding.reading.statistics import Statistics
from ablate.disk.read import Json
from ablate.errors import AblateError
from ablate.study.fitted.opened import OpenedRun

FORMAT = 1


class SessionFacts(Config):
    """One recording that the model was fitted to. Statistics are those of its training split; mean_rate in expected
    spikes a bin; stimulus in the values of the recording's own file."""

    name: str
    height: int
    width: int
    units: int
    behaviors: int
    """Behaviour variables that the recording has, whether or not the model reads them."""
    behavior_names: tuple[str, ...] = ()
    bin_rate_hz: float
    mean_rate: tuple[float, ...]
    stimulus_mean: float
    stimulus_std: float
    behavior_mean: tuple[float, ...]
    behavior_std: tuple[float, ...]
    count_std: tuple[float, ...] = ()
    """Of the counts, for spike history; none in exports of before there was one."""

    def statistics(self) -> Statistics:
        """As they were computed: the numbers survive JSON to the last bit."""
        return Statistics(
            stimulus_mean=self.stimulus_mean,
            stimulus_std=self.stimulus_std,
            behavior_mean=np.array(self.behavior_mean, np.float32),
            behavior_std=np.array(self.behavior_std, np.float32),
            mean_rate=np.array(self.mean_rate),
            count_std=np.array(self.count_std or (1.0,) * self.units),
        )

    def spec(self) -> SessionSpec:
        return SessionSpec(
            self.name, self.height, self.width, self.units, self.behaviors, self.bin_rate_hz, self.mean_rate
        )


class ModelFacts(Config):
    """A run's model without its weights."""

    format: int = FORMAT
    study: str
    variant: str
    seed: int
    key: str
    configuration: Json
    sessions: tuple[SessionFacts, ...]
    window: int
    score_every: int
    warmup: int
    weights_blake2b: str = ""

    def spec(self, *, behavior: bool) -> EncodingSpec:
        """What the model was built for. behavior: whether it is given any."""
        specs = [session.spec() for session in self.sessions]
        if not behavior:
            specs = [SessionSpec(**{**vars(spec), "behaviors": 0}) for spec in specs]
        return EncodingSpec(tuple(specs), window=self.window, score_every=self.score_every, warmup=self.warmup)


def facts_of(run: OpenedRun) -> ModelFacts:
    """Raises AblateError for a run that predicts labels: it has no rates."""
    record, dataset = run.record, run.dataset
    if not isinstance(dataset, EncodingDataset):
        what = f"{record.variant} predicts labels of trials, and only models of spikes are exported and given stimuli"
        hint = (
            "`ablate predict RUN --out FILE` gives the probabilities of all its trials; its weights lie in that folder"
        )
        raise AblateError(what, where=str(run.store.folder(record.key)), hint=hint)
    sessions = []
    for recording, spec, statistics in zip(dataset.recordings, dataset.spec.sessions, dataset.statistics, strict=True):
        sessions.append(
            SessionFacts(
                name=spec.name,
                height=spec.height,
                width=spec.width,
                units=spec.units,
                behaviors=recording.behaviors,
                behavior_names=recording.behavior_names,
                bin_rate_hz=spec.bin_rate_hz,
                mean_rate=spec.mean_rate,
                stimulus_mean=statistics.stimulus_mean,
                stimulus_std=statistics.stimulus_std,
                behavior_mean=tuple(statistics.behavior_mean.tolist()),
                behavior_std=tuple(statistics.behavior_std.tolist()),
                count_std=tuple(statistics.count_std.tolist()),
            )
        )
    return ModelFacts(
        study=record.study,
        variant=record.variant,
        seed=record.seed,
        key=record.key,
        configuration=record.config,
        sessions=tuple(sessions),
        window=dataset.spec.window,
        score_every=dataset.spec.score_every,
        warmup=dataset.spec.warmup,
    )
