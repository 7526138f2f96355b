"""Runs in, what the repeats of their data say out: means over seeds, then over sessions.

Runs of one study saw the same showings, so their intervals are averaged bound by bound; sessions are independent, so
the distances from mean to bound are added as squares.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from ablate.analysis.cells import Cell, Cells
from ablate.analysis.outcome import Interval
from ablate.analysis.outcome.repeats import Repeated, RepeatedPicture, RepeatedSession, RepeatedVariant, Repeats
from ablate.analysis.row.files import UnitsLoader
from ablate.result.measure.repeats import Measure, SessionMeans, SessionRepeats, read_means, read_repeats


@dataclass
class RepeatsAside:
    """A loader of a run's scores that keeps each file's means over repeats, so that none is read again for these.
    load: of the whole file."""

    load: UnitsLoader
    scores: UnitsLoader
    seen: dict[str, tuple[SessionMeans, ...]] = field(default_factory=dict)

    def __call__(self, key: str) -> object:
        content = self.scores(key)
        self.seen[key] = read_means(content)
        return content

    def of(self, key: str) -> tuple[SessionMeans, ...]:
        if key not in self.seen:
            self(key)
        return self.seen[key]

    def whole(self, key: str) -> tuple[SessionRepeats, ...]:
        return read_repeats(self.load(key))


def repeats_of(cells: Cells, aside: RepeatsAside | None) -> Repeats | None:
    """None where no run was scored on repeats."""
    if aside is None:
        return None
    held = [(cell, runs) for cell in cells.cells if (runs := _runs(cell, aside))]
    shown = next((runs for cell, runs in held if cell is cells.baseline), held[0][1] if held else {})
    first = next((whole for key in shown if (whole := aside.whole(key))), ())
    if not first:
        return None
    drawn = any(session.psth for session in first)
    return Repeats(
        sessions=tuple(map(_session, first)),
        variants=tuple(_variant(cell.entry.name, list(runs.values())) for cell, runs in held),
        pictures=tuple(_pictures(first, [(cell.entry.name, aside.whole(next(iter(runs)))) for cell, runs in held]))
        if drawn
        else (),
    )


def _runs(cell: Cell, aside: RepeatsAside) -> dict[str, tuple[SessionMeans, ...]]:
    """The sessions of each scored run by its key, in the order of the seeds."""
    found = {(key := cell.records[seed].key): aside.of(key) for seed in sorted(cell.scored)}
    return {key: sessions for key, sessions in found.items() if sessions}


def _session(one: SessionRepeats) -> RepeatedSession:
    return RepeatedSession(
        name=one.name,
        source=one.source,
        bin_rate_hz=one.bin_rate_hz,
        showings=one.showings,
        bins=one.bins,
        units=len(one.units),
        clear=one.clear,
        explainable=_averaged([one.mean.explainable]),
        ceiling=_averaged([one.mean.ceiling]),
    )


def _variant(name: str, runs: Sequence[tuple[SessionMeans, ...]]) -> RepeatedVariant:
    figures = {
        figure: _over_sessions(
            [
                _averaged([getattr(run[session].mean, figure) for run in runs if session < len(run)])
                for session in range(len(runs[0]))
            ]
        )
        for figure in ("bits", "fev", "cc_norm", "cc_average", "cc_single", "ceiling")
    }
    ceiling, bits = figures.pop("ceiling"), figures["bits"]
    share = bits.value / ceiling.value if bits and ceiling and ceiling.value > 0 else None
    return RepeatedVariant(name, of_ceiling=share, **figures)


def _averaged(measures: Sequence[Measure | None]) -> Repeated | None:
    """Bound by bound."""
    known = [one for one in measures if one is not None]
    if not known:
        return None
    value = math.fsum(one.value for one in known) / len(known)
    lows, highs = ([one.low for one in known], [one.high for one in known])
    bounds = [[bound for bound in side if bound is not None] for side in (lows, highs)]
    if any(len(side) < len(known) for side in bounds):
        return Repeated(value)
    return Repeated(value, Interval(*(math.fsum(side) / len(known) for side in bounds)))


def _over_sessions(sessions: Sequence[Repeated | None]) -> Repeated | None:
    known = [one for one in sessions if one is not None]
    if not known:
        return None
    value = math.fsum(one.value for one in known) / len(known)
    if any(one.interval is None for one in known):
        return Repeated(value)
    below, above = (
        math.hypot(*(one.value - one.interval.low if low else one.interval.high - one.value for one in known))  # type: ignore[union-attr]
        for low in (True, False)
    )
    return Repeated(value, Interval(value - below / len(known), value + above / len(known)))


def _pictures(
    first: Sequence[SessionRepeats], of_variants: Sequence[tuple[str, tuple[SessionRepeats, ...]]]
) -> list[RepeatedPicture]:
    """Of the first session that has any; each variant's first run."""
    place, session = next(((place, one) for place, one in enumerate(first) if one.psth), (0, first[0]))
    shares = {one.unit: one.values.explainable for one in session.units}
    found = []
    for shown in session.psth:
        predicted: list[tuple[str, tuple[float, ...]]] = []
        for name, sessions in of_variants:
            own = sessions[place].psth if place < len(sessions) else ()
            predicted += [(name, one.predicted) for one in own if one.unit == shown.unit and one.predicted]
        share = shares.get(shown.unit)
        found.append(
            RepeatedPicture(
                session=session.name,
                unit=shown.unit,
                bin_rate_hz=session.bin_rate_hz,
                explainable=0.0 if share is None else share.value,
                raster=shown.raster,
                average=shown.average,
                predicted=tuple(predicted),
            )
        )
    return found
