"""A model and the repeats of a data set in; what they say of every unit out, and a stretch to look at."""

from collections.abc import Sequence

import numpy as np
import torch

from ablate.contract import Dataset, EncodingSpec, Model, Showings
from ablate.errors import AblateError
from ablate.result.measure.repeats import Psth, RepeatedUnit, RepeatValues, SessionRepeats
from ablate.result.record import Score
from ablate.training.device import Precision, autocast
from ablate.training.evaluate import EVALUATION_SEED, evaluating
from ablate.training.loss import LOWEST_LOG_RATE
from ablate.training.score.repeats import NAMES, repeat_draws, values_of
from ablate.training.score.table import EntryTable, SessionEntries, summarise
from ablate.training.seed import seeded

Array = np.ndarray

DRAWN_UNITS = 3
DRAWN_SECONDS = 2.0
DRAWN_BINS = 240
DRAWN_SHOWINGS = 30


def evaluate_repeats(
    model: Model | None, dataset: Dataset, *, batch_size: int, device: torch.device, precision: Precision = "auto"
) -> tuple[SessionRepeats, ...]:
    """Of every session with repeats. Without a model, or with one whose rates depend on each showing's own spikes: what
    the responses say by themselves."""
    spec = dataset.spec
    if not isinstance(spec, EncodingSpec):
        return ()
    found = []
    for showings in dataset.showings():
        rates = None
        if model is not None and showings.bins is not None and not model.reads_spikes:
            rates = predicted_rates(model, dataset, showings, batch_size=batch_size, device=device, precision=precision)
        found.append(session_repeats(showings, rates, np.array(spec.sessions[showings.session].mean_rate)))
    return tuple(found)


@torch.no_grad()
def predicted_rates(
    model: Model, dataset: Dataset, showings: Showings, *, batch_size: int, device: torch.device, precision: Precision
) -> Array:
    """(rows, t, u) expected spikes a bin in each bin of the showings."""
    bins = showings.bins
    assert bins is not None
    rates = np.full((int(bins.max()) + 1, showings.counts.shape[2]), np.nan)
    with evaluating(model), seeded(EVALUATION_SEED):
        for batch in dataset.sweep_showings(showings, batch_size=batch_size):
            with autocast(device, precision):
                (prediction,) = model(batch)
            (target,) = batch.targets
            assert target.newest is not None
            lags = np.array(batch.lags)  # type: ignore[attr-defined]  # showings come as windows
            places = target.newest.cpu().numpy()[:, None] - lags
            inside = (places >= 0) & (places < len(rates)) & target.valid.any(-1).cpu().numpy()
            values = prediction.clamp(min=LOWEST_LOG_RATE).double().exp().cpu().numpy()
            rates[places[inside]] = values[inside]
    return np.asarray(rates[bins])


def session_repeats(showings: Showings, rates: Array | None, null_rates: Array) -> SessionRepeats:
    """rates: (rows, t, u) as from `predicted_rates`. null_rates: (u,) mean rates in train."""
    units, draws = [], {}
    for unit in np.flatnonzero(showings.valid.any(0)).tolist():
        valid = showings.valid[:, unit]
        counts = showings.counts[:, valid, unit]
        if counts.shape[1] < 2 or not counts.any():
            continue
        own = None if rates is None else rates[:, valid, unit]
        draws[unit] = repeat_draws(counts, own, float(null_rates[unit]))
        values = values_of(draws[unit])
        explainable = values.explainable
        clear = explainable is not None and (explainable.low or 0.0) > 0
        units.append(RepeatedUnit(unit=unit, clear=clear, values=values))
    return SessionRepeats(
        name=showings.name,
        source=showings.source,
        bin_rate_hz=showings.bin_rate_hz,
        showings=len(showings.counts),
        bins=int(showings.valid.any(1).sum()),
        mean=_means([draws[one.unit] for one in units if one.clear]),
        units=tuple(units),
        psth=tuple(_psth(showings, rates, unit) for unit in drawn_units(units)),
    )


def fev_score(sessions: Sequence[SessionRepeats], scored_hash: str) -> tuple[Score, EntryTable]:
    """The score of `metric: fev`: units whose explainable variance is clear of zero. Raises AblateError where no unit's
    is."""
    entries = []
    for one in sessions:
        values = [0.0 if unit.values.fev is None else unit.values.fev.value for unit in one.units]
        excluded = [not unit.clear or unit.values.fev is None for unit in one.units]
        units = np.array([unit.unit for unit in one.units], np.int64)
        table = SessionEntries(one.name, units, np.array(values, float), np.ones(len(units)), np.array(excluded, bool))
        entries.append(table)
    if all(entry.excluded.all() for entry in entries):
        hint = "the repeats are too few or too short to tell signal from noise; write `metric: correlation`"
        raise AblateError("no unit's explainable variance is clear of zero", where="metric", hint=hint)
    found = EntryTable("fev", 1.0, tuple(entries))
    return summarise(found, scored_hash, None), found


def _means(draws: Sequence[dict[str, Array]]) -> RepeatValues:
    """Over units, draw by draw: all units of a session saw the same blocks. Of units that were counted in other bins
    the draws are of other lengths, and only values are averaged."""
    if not draws:
        return RepeatValues()
    shortest = min(len(one["explainable"]) for one in draws)
    return values_of({name: _known_mean(np.stack([one[name][:shortest] for one in draws])) for name in NAMES})


def _known_mean(values: Array) -> Array:
    """Over the first axis, of what is defined; NaN where nothing is."""
    known = np.isfinite(values)
    return np.where(known.any(0), np.where(known, values, 0.0).sum(0) / np.maximum(known.sum(0), 1), np.nan)


def drawn_units(units: Sequence[RepeatedUnit]) -> list[int]:
    """Those with the most, the middle and the least explainable variance that is clear of zero."""
    known = [(one.values.explainable.value, one.unit) for one in units if one.clear and one.values.explainable]
    known.sort(reverse=True)
    places = dict.fromkeys((0, len(known) // 2, len(known) - 1))
    return [known[place][1] for place in places][:DRAWN_UNITS] if known else []


def _psth(showings: Showings, rates: Array | None, unit: int) -> Psth:
    """The first seconds; showings beyond `DRAWN_SHOWINGS` count in the average alone."""
    most = max(2, min(DRAWN_BINS, round(DRAWN_SECONDS * showings.bin_rate_hz)))
    counts = showings.counts[:, :most, unit]
    rows = counts[:DRAWN_SHOWINGS].astype(int)
    predicted = () if rates is None else tuple(float(f"{rate:.4g}") for rate in rates[:, :most, unit].mean(0))
    return Psth(
        unit=unit,
        raster=tuple(tuple(np.repeat(np.arange(rows.shape[1]), row).tolist()) for row in rows),
        average=tuple(float(f"{mean:.4g}") for mean in counts.mean(0)),
        predicted=predicted,
    )
