"""From the sums of each entry to a `Score`: the mean over the entries of each session, then over sessions.

    value(entry)   = gain / (unit * weight)         gain in nats, weight in spikes or labels, unit = ln 2
    mean(session)  = mean of value over the scored entries
    headline       = mean of mean(session) over the sessions that have a scored entry
    weighted       = the same, sessions weighted by their scored weight
    pooled         = sum of gain / (unit * sum of weight), over all scored entries

Nothing is floored at zero: a model worse than the null has a negative score.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ablate.contract import Attainable
from ablate.disk.read import Json
from ablate.errors import AblateError
from ablate.result.measure.repeats import SessionRepeats
from ablate.result.record import Score, SessionScore
from ablate.training.score.predictions import Predictions, ValuePredictions


@dataclass(frozen=True)
class SessionEntries:
    """The entries of one session, one array element each.

    entry: index of the unit (or trial) in its session. gain: over the null, in nats. weight: spikes (or labels).
    excluded: left out of the score. blocks: what each block of the split's time adds to the session's mean, less its
    fair share (`score/blocks.py`), in the metric's unit; empty where the entries are no stretches of time.
    """

    name: str
    entry: NDArray[np.int64]
    gain: NDArray[np.float64]
    weight: NDArray[np.float64]
    excluded: NDArray[np.bool_]
    blocks: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0))


@dataclass(frozen=True)
class EntryTable:
    """All entries of a split. unit: what `gain / weight` is divided by (ln 2 for bits)."""

    metric: str
    unit: float
    sessions: tuple[SessionEntries, ...]
    predictions: Predictions | ValuePredictions | None = None
    """What was said of every label or number, where these are scored."""
    repeats: tuple[SessionRepeats, ...] = ()
    """What repeats of one stimulus say, where the data have any."""

    def values(self, session: SessionEntries) -> NDArray[np.float64]:
        """The metric of each entry of a session, NaN where it is excluded."""
        weight = np.where(session.excluded, np.nan, session.weight)
        return session.gain / (self.unit * weight)

    def to_json(self) -> Json:
        """Plain lists, as stored in `units.json`; the value of an excluded entry is null."""
        told = {"repeats": [one.model_dump(mode="json") for one in self.repeats]} if self.repeats else {}
        if isinstance(self.predictions, ValuePredictions):
            told["numbers"] = [one.model_dump(mode="json") for one in self.predictions.some()]
        return {
            "metric": self.metric,
            "sessions": [
                {
                    "name": session.name,
                    "entry": session.entry.tolist(),
                    "value": [None if np.isnan(value) else float(value) for value in self.values(session)],
                    "gain": session.gain.tolist(),
                    "weight": session.weight.tolist(),
                    "excluded": session.excluded.tolist(),
                    "blocks": [float(f"{value:.6g}") for value in session.blocks],
                }
                for session in self.sessions
            ],
            **told,
        }


def summarise(
    table: EntryTable,
    scored_hash: str,
    attainable: Attainable | None,
    floor: Attainable | None = None,
    **beside: Any,  # other fields of Score, which validates them
) -> Score:
    """The score of a split; `beside` are its other fields, as the accuracies of a labelling task.

    Raises AblateError when no entry can be scored and FloatingPointError when a gain is not finite.
    """
    check_scorable(table)
    best, least = _known_table(table, attainable), _known_table(table, floor)
    sessions = tuple(
        _session_score(table, session, None if best is None else best.sessions[index])
        for index, session in enumerate(table.sessions)
    )
    scored = [session for session in sessions if session.entries]
    means, weights = [session.mean for session in scored], [session.weight for session in scored]
    ceilings = [session.attainable for session in scored if session.attainable is not None]
    return Score(
        metric=table.metric,
        headline=_headline(table),
        weighted=float(np.average(means, weights=weights)),
        pooled=_pooled(table, table.sessions),
        sessions=sessions,
        scored_hash=scored_hash,
        attainable=float(np.mean(ceilings)) if ceilings else None,
        floor=None if least is None else _headline(least),
        **beside,
    )


def check_scorable(table: EntryTable) -> None:
    """At least one entry is scored, and every scored gain is finite."""
    if all(session.excluded.all() for session in table.sessions):
        raise AblateError(
            "no unit of the split has enough spikes to be scored",
            where="data.min_spikes",
            hint="lower `min_spikes`, or hold out more time",
        )
    for session in table.sessions:
        wrong = ~np.isfinite(session.gain) & ~session.excluded
        if wrong.any():
            raise FloatingPointError(f"the score of {session.name}, entry {session.entry[wrong][0]}, is not finite")


def _session_score(table: EntryTable, session: SessionEntries, best: SessionEntries | None) -> SessionScore:
    """One session's part; a session without a scored entry has mean 0 and is left out of the headline."""
    scored = ~session.excluded
    if not scored.any():
        return SessionScore(name=session.name, entries=0, excluded=len(scored), mean=0.0, pooled=0.0, weight=0.0)
    return SessionScore(
        name=session.name,
        entries=int(scored.sum()),
        excluded=int((~scored).sum()),
        mean=float(table.values(session)[scored].mean()),
        pooled=_pooled(table, (session,)),
        weight=float(session.weight[scored].sum()),
        attainable=None if best is None else float(table.values(best)[scored].mean()),
    )


def _pooled(table: EntryTable, sessions: Sequence[SessionEntries]) -> float:
    gain = sum(float(session.gain[~session.excluded].sum()) for session in sessions)
    weight = sum(float(session.weight[~session.excluded].sum()) for session in sessions)
    return gain / (table.unit * weight)


def _headline(table: EntryTable) -> float:
    """Mean over the sessions that have a scored entry, of the mean over their scored entries."""
    scored = [session for session in table.sessions if not session.excluded.all()]
    return float(np.mean([table.values(session)[~session.excluded].mean() for session in scored]))


def _known_table(table: EntryTable, known: Attainable | None) -> EntryTable | None:
    """The same table with the gains of known rates, over the same entries and weights."""
    if known is None:
        return None
    sessions = tuple(
        SessionEntries(session.name, session.entry, np.asarray(gain)[session.entry], session.weight, session.excluded)
        for session, gain in zip(table.sessions, known, strict=True)
    )
    return EntryTable(table.metric, table.unit, sessions)
