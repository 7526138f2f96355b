"""Runs that stand apart from a study's own, judged by its rule: one family, Holm, its rows' prior of the variance."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from ablate.analysis.cells import Cells, gather
from ablate.analysis.outcome import Gain, Interval, Verdict
from ablate.analysis.row.gains import adjusted, paired_gains
from ablate.analysis.row.verdict import judge
from ablate.analysis.statistics.gain import LEVEL, absolute_interval, relative_interval
from ablate.analysis.statistics.moderated import Prior
from ablate.result.manifest import AnalysisRule, StudyManifest
from ablate.result.record import RunRecord

Keys = Mapping[str, Mapping[int, str]]
"""Variant -> seed -> run key."""


def cells_apart(manifest: StudyManifest, records: Iterable[RunRecord], keys: Keys) -> Cells:
    """The cells of these runs, the baseline's among them, instead of the study's own."""
    entries = [
        entry.model_copy(update={"keys": dict(keys[entry.name])}) for entry in manifest.variants if entry.name in keys
    ]
    seeds = sorted({seed for held in keys.values() for seed in held})
    return gather(manifest.model_copy(update={"variants": tuple(entries), "seeds": tuple(seeds)}), records)


def ended(cells: Cells, keys: Keys, name: str) -> int:
    """How many of a row's planned runs have come to an end, its baseline's runs of the same seeds among them."""
    baseline = cells.baseline
    own = next(cell for cell in cells.cells if cell.entry.name == name)
    return sum(
        cell.records.get(seed) is not None and cell.records[seed].state != "interrupted"
        for cell in (own, baseline)
        for seed in keys[name]
    )


def judged_apart(
    cells: Cells, prior: Prior, rule: AnalysisRule, *, relative: bool, goes: Mapping[str, int]
) -> dict[str, tuple[Gain | None, Verdict, str]]:
    """Gain, word and remark of each row but the baseline. goes: how often each was tried, which p and interval
    count."""
    found = [
        None if gain is None else _tried(gain, goes[cell.entry.name])
        for cell, gain in zip(cells.cells, paired_gains(cells, prior, relative=relative), strict=True)
    ]
    gains, _ = adjusted(cells, found, prior, rule.worth)
    said: dict[str, tuple[Gain | None, Verdict, str]] = {}
    for cell, gain in zip(cells.cells, gains, strict=True):
        name = cell.entry.name
        if cell.entry.role == "baseline":
            continue
        if gain is not None and gain.p_negligible is not None:
            gain = replace(gain, p_negligible=min(1.0, goes[name] * gain.p_negligible))
        said[name] = (gain, *judge(cell, gain, planned=len(cell.entry.keys), worth=rule.worth))
    return said


def _tried(gain: Gain, goes: int) -> Gain:
    """With p and interval for one of several tries."""
    if goes == 1 or gain.p is None or gain.error is None or gain.degrees is None:
        return gain
    level = 1 - (1 - LEVEL) / goes
    ratio = None if gain.relative_interval is None else relative_interval(gain, level)
    return replace(
        gain,
        p=min(1.0, goes * gain.p),
        interval=absolute_interval(gain.mean, gain.error, gain.degrees, level),
        relative_interval=None if ratio is None else Interval(ratio.low, ratio.high),
    )
