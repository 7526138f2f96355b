"""A variant's gain in each session and unit, and its learning curves."""

from collections.abc import Mapping, Sequence

import numpy as np

from ablate.analysis.cells import Cell
from ablate.analysis.outcome import Interval, LearningCurve, SessionGain, UnitGain
from ablate.analysis.row.files import HistoryLoader
from ablate.analysis.statistics.gain import paired_t
from ablate.analysis.statistics.units import UnitTable
from ablate.result.record import Score


def session_gains(cell: Cell, baseline: Cell, table: UnitTable | None) -> tuple[SessionGain, ...]:
    """Each session over the paired seeds; empty where the runs cannot be compared or list different sessions."""
    seeds = [seed for seed in cell.scored if seed in baseline.scored]
    if cell.refused or not seeds:
        return ()
    own, base = ([held.scored[seed] for seed in seeds] for held in (cell, baseline))
    names = [session.name for session in base[0].sessions]
    if not names or any([session.name for session in score.sessions] != names for score in (*own, *base)):
        return ()
    scores, before = _session_means(own), _session_means(base)  # n session
    differences = cell.sign * (scores - before)
    gains, baselines, means = (values.mean(axis=0).tolist() for values in (differences, before, scores))
    halves = paired_t(differences.T).half_width.tolist() if len(seeds) > 1 else None
    better = _better(table, names)
    return tuple(
        SessionGain(
            name=session.name,
            entries=session.entries,
            excluded=session.excluded,
            baseline=baselines[index],
            score=means[index],
            gain=gains[index],
            interval=None if halves is None else Interval(gains[index] - halves[index], gains[index] + halves[index]),
            attainable=session.attainable,
            better=better.get(session.name),
        )
        for index, session in enumerate(own[0].sessions)
        if session.entries  # a subject that is trained on alone
    )


def _session_means(scores: Sequence[Score]) -> np.ndarray:
    return np.array([[session.mean for session in score.sessions] for score in scores])


def _better(table: UnitTable | None, names: Sequence[str]) -> dict[str, float]:
    """Share of each session's scored units that gained."""
    if table is None or list(table.names) != list(names):
        return {}
    found = {}
    for name, gain in zip(table.names, np.split(table.gain, np.cumsum(table.sizes)[:-1]), strict=True):
        known = gain[~np.isnan(gain)]
        if len(known):
            found[name] = float((known > 0).mean())
    return found


def unit_gains(table: UnitTable | None) -> tuple[UnitGain, ...]:
    """Every unit that is scored."""
    if table is None:
        return ()
    places = [(name, unit) for name, entry in zip(table.names, table.entries, strict=True) for unit in entry]
    return tuple(
        UnitGain(name, unit, base, score, gain)
        for (name, unit), base, score, gain in zip(
            places, table.baseline.tolist(), table.score.tolist(), table.gain.tolist(), strict=True
        )
        if base == base  # an excluded unit is NaN in both
    )


def learning_curves(cell: Cell, history: HistoryLoader | None) -> tuple[LearningCurve, ...]:
    """Validation score over steps of every run that kept a history."""
    if history is None:
        return ()
    found = []
    for seed, run in sorted(cell.records.items()):
        points = [point for line in history(run.key) or () if (point := _point(line)) is not None]
        if points:
            steps, values = zip(*points, strict=True)
            found.append(LearningCurve(cell.entry.name, seed, steps, values))
    return tuple(found)


def _point(line: Mapping[str, object]) -> tuple[int, float] | None:
    """(step, validation score) of a line that has both."""
    value = line.get("validation")
    if value is None:  # most lines, of which a large study has millions
        return None
    step = line.get("step")
    if not isinstance(step, int) or not isinstance(value, int | float):
        return None
    return step, float(value)
