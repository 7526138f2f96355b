"""A study's search in, which gains survive it out.

A patch may win because it suits the baseline's learning rate. So the baseline and the rows ahead are given the same
small search: the same settings, the same seeds, the best by the mean validation score; then the best of the row is
compared with the best of the baseline on the study's seeds, on test, by the study's rule. All rows are one family.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from statistics import fmean

from ablate.analysis.apart.judge import cells_apart, judged_apart
from ablate.analysis.outcome import Retuned, VariantAnalysis
from ablate.analysis.statistics.moderated import Prior
from ablate.disk.read import Json
from ablate.result.manifest import Retuning, StudyManifest
from ablate.result.record import RunRecord


def by_key(records: Iterable[RunRecord]) -> dict[str, RunRecord]:
    """The runs that have ended."""
    return {record.key: record for record in records if record.state != "interrupted"}


def best_setting(plan: Retuning, name: str, ended: Mapping[str, RunRecord]) -> int | None:
    """The setting with the best mean validation score; one with a failed seed is none. None while the search goes on,
    or where no setting has a score. Of equals the first is taken, the one as written before all others.
    """
    means: list[tuple[float, int]] = []
    for index, keys in enumerate(plan.keys[name]):
        runs = [ended.get(keys[seed]) for seed in plan.seeds]
        if any(run is None for run in runs):
            return None
        scores = [run.validation.headline for run in runs if run is not None and run.validation is not None]
        if len(scores) == len(runs):
            means.append((fmean(scores), -index))
    return -max(means)[1] if means else None


def with_retuning(
    rows: Sequence[VariantAnalysis], manifest: StudyManifest, records: Sequence[RunRecord], prior: Prior, relative: bool
) -> tuple[VariantAnalysis, ...]:
    """The same rows, each with what the search left of its gain."""
    plan = manifest.retuning
    if plan is None:
        return tuple(rows)
    ended = by_key(records)
    found = {name: _state(plan, name, ended) for name in plan.rows}
    base = plan.rows[0]
    whole = [name for name in plan.rows if name != base and found[name].complete and found[base].complete]
    if whole:
        keys = {name: plan.keys[name][found[name].best_index or 0] for name in (base, *whole)}
        cells = cells_apart(manifest, records, keys)
        judged = judged_apart(cells, prior, manifest.analysis, relative=relative, goes=dict.fromkeys(whole, 1))
        asked = {row.name: row for row in rows}
        for name, (gain, verdict, note) in judged.items():
            survives = verdict == asked[name].verdict
            found[name] = replace(found[name], gain=gain, verdict=verdict, note=note, survives=survives)
    return tuple(replace(row, retuned=found.get(row.name)) for row in rows)


def _state(plan: Retuning, name: str, ended: Mapping[str, RunRecord]) -> Retuned:
    best = best_setting(plan, name, ended)
    keys = {key for held in plan.keys[name] for key in held.values()}
    setting: Json = {} if best is None else plan.settings[best]
    return Retuned(
        best_index=best,
        best=tuple((key, str(value)) for key, value in setting.items()),
        settings=len(plan.settings),
        at_edge=() if best is None else at_edge(plan, best),
        seeds=plan.seeds,
        runs_planned=len(keys),
        runs_ended=len(keys & ended.keys()),
    )


def at_edge(plan: Retuning, best: int) -> tuple[str, ...]:
    """The keys of numbers whose best value is the smallest or the largest of all that were tried."""
    found = []
    for key, value in plan.settings[best].items():
        tried = [setting[key] for setting in plan.settings]
        numbers = all(isinstance(one, int | float) and not isinstance(one, bool) for one in tried)
        if numbers and len(set(tried)) > 1 and value in (min(tried), max(tried)):
            found.append(key)
    return tuple(found)


def complete(manifest: StudyManifest, records: Iterable[RunRecord]) -> bool:
    """Whether nothing of the planned search is left to plan or to train."""
    plan, ended = manifest.retuning, by_key(records)
    if plan is None or not plan.run_keys <= ended.keys():
        return False
    own = {entry.name: entry.keys for entry in manifest.variants}
    for name in plan.rows:
        best = best_setting(plan, name, ended)
        if best is not None and not study_seeds(own[name], ended) <= plan.keys[name][best].keys():
            return False
    return True


def study_seeds(keys: Mapping[int, str], ended: Mapping[str, RunRecord]) -> set[int]:
    """The seeds that a row has in the study."""
    return {seed for seed, key in keys.items() if key in ended}
