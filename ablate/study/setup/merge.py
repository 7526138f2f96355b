"""A study is extended, never silently changed: the manifest that is there and the new one in, one manifest out."""

from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import replace

from pydantic import BaseModel, TypeAdapter, ValidationError

from ablate.config import non_default
from ablate.data import DataConfig
from ablate.errors import AblateError, Problem
from ablate.request import Request
from ablate.result import RunRecord, StudyManifest, VariantEntry, canonical_json
from ablate.result.manifest import Confirmation, LookedAt
from ablate.study.running.job import RunJob
from ablate.study.study import Study

DATA: TypeAdapter[DataConfig] = TypeAdapter(DataConfig)


def keep_manifest(study: Study, request: Request) -> Study:
    """Writes `study.json`, extending the one that is there; refuses a recipe whose variants changed their meaning."""
    with study.store.lock_study():
        if study.store.exists():
            old, records = study.store.manifest(), study.store.scan().records
            scored = any(record.state == "done" for record in records.values())
            accept = request.changed or request.fresh or not scored  # without a score there is none to mix up
            before = [record for key, record in records.items() if key in old.run_keys]
            others = on_other_data(study.jobs, before)
            study = replace(study, manifest=merge_manifests(old, study.manifest, others, accept=accept))
        study.store.write_manifest(study.manifest)
    return study


def on_other_data(jobs: Sequence[RunJob], records: Iterable[RunRecord]) -> frozenset[str]:
    """Variants whose data a run of the study had already, when they held something else.

    Their keys do not tell it where the study has no run of the same variant at the same seed.
    """
    planned = {(job.variant, job.fold): job for job in jobs}
    now = {"", *(job.data_fingerprint for job in planned.values())}
    known = {(record.variant, record.data_fingerprint): record.config.get("data") for record in records}
    before = set[tuple[str, str]]()
    for (variant, fingerprint), options in known.items():
        if fingerprint not in now:
            with suppress(ValidationError):  # of a version that had other options
                before |= _named(variant, DATA.validate_python(options))
    return frozenset(job.variant for job in planned.values() if before & _named(job.variant, job.configuration.data))


def _named(variant: str, data: BaseModel) -> set[tuple[str, str]]:
    """By what data are meant to be the same: a variant's own options wherever they lie, and any at one place."""
    options = (canonical_json(non_default(data, locations=place)) for place in (False, True))
    return set(zip((variant, ""), options, strict=True))


def merge_manifests(
    old: StudyManifest, new: StudyManifest, others: Collection[str] = (), *, accept: bool
) -> StudyManifest:
    """The new manifest, with the variants and seeds of the old one that it does not name; changed expectations listed.

    others: variants on other data than the study had.
    Raises AblateError when a variant of the same name has come to mean something else, unless `accept`.
    """
    _same_schedule(old, new)
    _keeps_fresh_seeds(old, new)
    before = {entry.name: entry for entry in old.variants}
    changed = [one for one in new.variants if one.name in others or _means_otherwise(before.get(one.name), one)]
    if changed and not accept:
        raise AblateError(problems=_problems(before, changed, old.name))
    names = {entry.name for entry in new.variants}
    kept = () if changed else tuple(entry for entry in old.variants if entry.name not in names)
    entries = tuple(_with_keys(entry, before.get(entry.name), changed=bool(changed)) for entry in new.variants)
    return new.model_copy(
        update={
            "variants": _ordered(old, (*entries, *kept)),
            "seeds": new.seeds if changed else tuple(sorted({*old.seeds, *new.seeds})),
            "ladders": tuple(dict.fromkeys((*new.ladders, *(() if changed else old.ladders)))),
            "confirmations": _still_meant(old.confirmations, {entry.name for entry in changed}),
            "retuning": None if changed else old.retuning,
            "looked_at": _looked_at(old, new),
            "expectations_hash": old.expectations_hash or new.expectations_hash,
            "expectation_changes": (
                *old.expectation_changes,
                *_expectation_changes(before, new, old.expectation_changes),
                *_rule_changes(old, new),
            ),
        }
    )


def _same_schedule(old: StudyManifest, new: StudyManifest) -> None:
    """A study that is run until settled stays one: seeds outside its looks would be judged as if nobody had looked."""
    if old.schedule is None or old.schedule == new.schedule:
        return
    if new.schedule is None:
        what = "this study is run until settled: its seeds follow a schedule of looks"
        raise AblateError(what, where=f"study {old.name}", hint="say `--until settled`, or give another --out")
    what = f"the looks of this study are fixed, at the seeds {', '.join(map(str, old.schedule.seeds))}"
    raise AblateError(what, where=f"study {old.name}", hint="restore the recipe's seeds, or give another --out")


def _still_meant(confirmations: tuple[Confirmation, ...], changed: set[str]) -> tuple[Confirmation, ...]:
    """Without the rows that mean something else now; without any where a baseline or nothing else is left of one."""
    kept = []
    for one in confirmations:
        keys = {name: keys for name, keys in one.keys.items() if name not in changed}
        rows = tuple(name for name in one.rows if name in keys)
        if rows and len(keys) > len(rows):  # what is no row is the baseline
            kept.append(one.model_copy(update={"rows": rows, "keys": keys}))
    return tuple(kept)


def _looked_at(old: StudyManifest, new: StudyManifest) -> LookedAt | None:
    """What was looked at stays looked at, whatever the recipe says now."""
    if old.looked_at is None or new.looked_at is None:
        return new.looked_at or old.looked_at
    return LookedAt(seeds=tuple(sorted({*old.looked_at.seeds, *new.looked_at.seeds})), why=new.looked_at.why)


def _keeps_fresh_seeds(old: StudyManifest, new: StudyManifest) -> None:
    """Seeds that confirm what the study chose must not help to choose it."""
    if taken := sorted(old.fresh_seeds & set(new.seeds)):
        what = f"the study's choice is confirmed on the seeds {', '.join(map(str, taken))}: they cannot choose as well"
        raise AblateError(what, where=f"study {old.name}", hint="choose other --seeds, or give another --out")


def _means_otherwise(old: VariantEntry | None, new: VariantEntry) -> bool:
    """Another configuration, or other data: then the same seed has another key."""
    if old is None:
        return False
    return old.config_hash != new.config_hash or any(old.keys[seed] != new.keys[seed] for seed in _shared(old, new))


def _shared(old: VariantEntry, new: VariantEntry) -> set[int]:
    return old.keys.keys() & new.keys.keys()


def _problems(before: dict[str, VariantEntry], changed: list[VariantEntry], study: str) -> tuple[Problem, ...]:
    """What changed, each reason once with all variants that it moved."""
    moved: dict[str, list[str]] = {}
    for entry in changed:
        moved.setdefault(_reason(before.get(entry.name), entry), []).append(f"`{entry.name}`")
    hint = "give the study another name or another --out, or say --changed to go on under the new meaning"
    return tuple(
        Problem(
            what=f"{', '.join(names)} now {'means' if len(names) == 1 else 'mean'} something else than when this study "
            f"began{reason}",
            where=f"study {study}",
            hint=hint,
        )
        for reason, names in moved.items()
    )


def _reason(old: VariantEntry | None, new: VariantEntry) -> str:
    """What of a variant changed, as far as the two manifests tell."""
    if old is None or old.config_hash == new.config_hash:
        return " (its data changed)"
    paths = [
        path for path in {*old.differences, *new.differences} if old.differences.get(path) != new.differences.get(path)
    ]
    if old.differences and paths:  # none where `--only` planned it without the baseline
        return f": {', '.join(sorted(paths)[:4])}"
    return " (the baseline's configuration changed)"


def _with_keys(new: VariantEntry, old: VariantEntry | None, *, changed: bool) -> VariantEntry:
    """Seeds that were planned before stay planned."""
    if old is None or changed:
        return new
    return new.model_copy(update={"keys": {**old.keys, **new.keys}, "folds": {**old.folds, **new.folds}})


def _ordered(old: StudyManifest, entries: tuple[VariantEntry, ...]) -> tuple[VariantEntry, ...]:
    """Baseline, variants, controls, references; within these the old order first."""
    roles = ("baseline", "variant", "control", "reference")
    places = {entry.name: index for index, entry in enumerate(old.variants)}
    return tuple(sorted(entries, key=lambda e: (roles.index(e.role), places.get(e.name, len(places)))))


def _expectation_changes(
    before: dict[str, VariantEntry], new: StudyManifest, known: tuple[str, ...]
) -> tuple[str, ...]:
    """One sentence for every prediction that was rewritten after the study began."""
    sentences = []
    for entry in new.variants:
        old = before.get(entry.name)
        if old is None or (old.expect == entry.expect and old.expect_cost == entry.expect_cost):
            continue
        sentences.append(f"{entry.name}: {_range(old.expect)} became {_range(entry.expect)} after the first run")
    return tuple(sentence for sentence in sentences if sentence not in known)


def _rule_changes(old: StudyManifest, new: StudyManifest) -> tuple[str, ...]:
    """One sentence for every part of the verdicts' rule that was changed after the study began."""
    before, after = old.analysis.model_dump(), new.analysis.model_dump()
    changed = [name for name in before if before[name] != after[name]]
    return tuple(f"analysis.{name}: {before[name]} became {after[name]} after the first run" for name in changed)


def _range(expect: tuple[float, float] | None) -> str:
    return "no expectation" if expect is None else f"{100 * expect[0]:+g}..{100 * expect[1]:+g} %"
