"""What repeats of one stimulus say: how much of the responses can be explained, and how much each variant explains."""

from collections.abc import Iterator

from ablate.analysis.outcome import Repeated, RepeatedSession, RepeatedVariant, Repeats, StudyAnalysis
from ablate.analysis.words import number, percent, share_with_interval, with_interval
from ablate.report.content.block import Block, Facts, Table

SOURCES = {"repeats.npy": "repeats.npy", "test": "found in the test split"}
WORDS = (
    (
        "explainable variance",
        "E = ( V − N ) / V, V the variance of all responses, N their mean variance between showings of the same bin "
        "(Cadena et al. 2019). Of short bins it is small, since most of the variance is that of single spikes.",
    ),
    (
        "FEV",
        "1 − ( mean squared error − N ) / ( V − N ): fraction of the explainable variance that is explained (Cadena et "
        "al. 2019).",
    ),
    (
        "CC norm",
        "cov(m, p) / √( Var(p) · S ): correlation of rate p and average response m over the highest that noise allows "
        "(Schoppe et al. 2016), with the signal power S = ( r Var(m) − mean Var(y) ) / ( r − 1 ) of r showings (Sahani "
        "& Linden 2003). It knows no scale; FEV does.",
    ),
    (
        "ceiling",
        "bits/spike of the average over the other showings, drawn towards the unit's mean as far as serves it best. No "
        "upper bound: an average of few showings is noisy, and a model that knows the animal's state, which differs "
        "from showing to showing, may pass it.",
    ),
    (
        "intervals of repeats",
        "95 %: blocks of the stimulus' time are drawn again, 1,000 times; showings, seeds and neurons are taken as "
        "they are.",
    ),
)


def repeats(analysis: StudyAnalysis) -> Iterator[Block]:
    """Two tables and their words; nothing where nothing repeats."""
    found = analysis.repeats
    if found is None:
        return
    yield _responses(found)
    if any(row.bits for row in found.variants):
        yield _explained(found)
    yield Facts("repeats-words", "How to read the repeats", WORDS)


def _responses(found: Repeats) -> Table:
    headings = ("session", "repeats", "showings", "bins", "units", "explainable variance", "ceiling, bits/spike")
    note = (
        "Units: those whose explainable variance is clear of zero, which all means are over, and all. Bins of "
        f"{listed_bins(found)}."
    )
    rows = tuple(map(_session, found.sessions))
    return Table("repeats", "Repeats of one stimulus", headings, rows, (2, 3, 4, 5, 6), note)


def listed_bins(found: Repeats) -> str:
    lengths = dict.fromkeys(f"{1000 / one.bin_rate_hz:.3g} ms" for one in found.sessions)
    return ", ".join(lengths)


def _session(one: RepeatedSession) -> tuple[str, ...]:
    counts = (str(one.showings), str(one.bins), f"{one.clear} of {one.units}")
    return one.name, SOURCES[one.source], *counts, _share(one.explainable), _value(one.ceiling)


def _explained(found: Repeats) -> Table:
    headings = ("variant", "FEV", "CC norm", "CC to the average", "to single showings", "bits/spike", "of the ceiling")
    note = "On the bins of the repeats alone; the ranking rests on the whole test split."
    rows = tuple(map(_variant, found.variants))
    return Table("explained", "What is explained of the explainable", headings, rows, (1, 2, 3, 4, 5, 6), note)


def _variant(row: RepeatedVariant) -> tuple[str, ...]:
    correlations = (row.cc_norm, row.cc_average, row.cc_single)
    of_ceiling = percent(row.of_ceiling, 0)
    return row.variant, _share(row.fev), *map(_value, correlations), _value(row.bits), of_ceiling


def _share(one: Repeated | None) -> str:
    return share_with_interval(None, None) if one is None else share_with_interval(one.value, one.interval, 1)


def _value(one: Repeated | None) -> str:
    return number(None) if one is None else with_interval(one.value, one.interval)
