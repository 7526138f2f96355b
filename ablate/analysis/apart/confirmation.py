"""The rows of a study in, what its fresh seeds say of them out.

The study's own verdicts are made of its own seeds; a confirmation is made of seeds that had no part in them, so that
choosing the best row and quoting its gain do not mix. All rows that were tried are one family (Holm). What spread is
usual is known from the study's rows, whose noise is the same (`moderated.py`).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from ablate.analysis.apart.judge import Keys, cells_apart, ended, judged_apart
from ablate.analysis.apart.repetition import Again, repetitions
from ablate.analysis.outcome import Confirmed, VariantAnalysis
from ablate.analysis.statistics.moderated import Prior
from ablate.result.manifest import StudyManifest
from ablate.result.record import RunRecord


def with_confirmations(
    rows: Sequence[VariantAnalysis],
    manifest: StudyManifest,
    records: Iterable[RunRecord],
    prior: Prior,
    *,
    relative: bool,
) -> tuple[VariantAnalysis, ...]:
    """The same rows, each with what its fresh seeds say."""
    if not manifest.confirmations:
        return tuple(rows)
    held = tuple(records)
    asked = {row.name: row for row in rows if row.role != "baseline" and manifest.confirming(row.name)}
    base = next(row.name for row in rows if row.role == "baseline")
    keys = {name: manifest.confirming(name) for name in (base, *asked)}
    found = _states(manifest, held, keys, base)
    whole = {name: keys[name] for name, state in found.items() if state.runs_ended == state.runs_planned}
    if whole:
        goes = {name: found[name].goes for name in whole}
        cells = cells_apart(manifest, held, {base: keys[base], **whole})
        judged = judged_apart(cells, prior, manifest.analysis, relative=relative, goes=goes)
        again = {name: Again(asked[name], gain, verdict) for name, (gain, verdict, _) in judged.items()}
        for name, (repeat, change) in repetitions(again).items():
            gain, verdict, note = judged[name]
            found[name] = replace(found[name], gain=gain, verdict=verdict, note=note, repeat=repeat, change=change)
    return tuple(replace(row, confirmed=found.get(row.name)) for row in rows)


def _states(manifest: StudyManifest, records: Sequence[RunRecord], keys: Keys, base: str) -> dict[str, Confirmed]:
    """How far each row's confirmation is."""
    cells = cells_apart(manifest, records, keys)
    goes: Mapping[str, int] = {name: sum(name in one.rows for one in manifest.confirmations) for name in keys}
    return {
        name: Confirmed(tuple(keys[name]), 2 * len(keys[name]), ended(cells, keys, name), goes[name])
        for name in keys
        if name != base
    }
