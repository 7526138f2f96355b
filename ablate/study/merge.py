"""A study is extended, never silently changed: the plan that is there and the new one in, one plan out."""

from ablate.errors import AblateError, Problem
from ablate.result import StudyManifest, VariantEntry


def merge_manifests(old: StudyManifest, new: StudyManifest, *, accept: bool) -> StudyManifest:
    """The new plan, with the variants and seeds of the old one that it does not name; changed expectations are told.

    Raises AblateError when a variant of the same name has come to mean something else, unless `accept`.
    """
    before = {entry.name: entry for entry in old.variants}
    changed = [entry for entry in new.variants if _means_otherwise(before.get(entry.name), entry)]
    if changed and not accept:
        raise AblateError(problems=tuple(_problem(before[entry.name], entry, old.name) for entry in changed))
    names = {entry.name for entry in new.variants}
    kept = () if changed else tuple(entry for entry in old.variants if entry.name not in names)
    entries = tuple(_with_keys(entry, before.get(entry.name), changed=bool(changed)) for entry in new.variants)
    return new.model_copy(
        update={
            "variants": _ordered(old, (*entries, *kept)),
            "seeds": new.seeds if changed else tuple(sorted({*old.seeds, *new.seeds})),
            "ladders": tuple(dict.fromkeys((*new.ladders, *(() if changed else old.ladders)))),
            "expectations_hash": old.expectations_hash or new.expectations_hash,
            "expectation_changes": (
                *old.expectation_changes,
                *_expectation_changes(before, new, old.expectation_changes),
            ),
        }
    )


def _means_otherwise(old: VariantEntry | None, new: VariantEntry) -> bool:
    """Another configuration, or other data: then the same seed has another key."""
    if old is None:
        return False
    return old.config_hash != new.config_hash or any(old.keys[seed] != new.keys[seed] for seed in _shared(old, new))


def _shared(old: VariantEntry, new: VariantEntry) -> set[int]:
    return old.keys.keys() & new.keys.keys()


def _problem(old: VariantEntry, new: VariantEntry, study: str) -> Problem:
    """What of a variant changed, as far as the two plans tell."""
    paths = [
        path for path in {*old.differences, *new.differences} if old.differences.get(path) != new.differences.get(path)
    ]
    told = " (the baseline's configuration changed)"
    if old.config_hash == new.config_hash:
        told = " (its data changed)"
    elif old.differences and paths:  # none where `--only` planned it without the baseline
        told = f": {', '.join(sorted(paths)[:4])}"
    return Problem(
        what=f"`{new.name}` now means something else than when this study began{told}",
        where=f"study {study}",
        hint="give the study another name or another --out, or say --changed to go on under the new meaning",
    )


def _with_keys(new: VariantEntry, old: VariantEntry | None, *, changed: bool) -> VariantEntry:
    """Seeds that were planned before stay planned."""
    if old is None or changed:
        return new
    return new.model_copy(update={"keys": {**old.keys, **new.keys}})


def _ordered(old: StudyManifest, entries: tuple[VariantEntry, ...]) -> tuple[VariantEntry, ...]:
    """Baseline, variants, controls, references; within these the old order first."""
    roles = ("baseline", "variant", "control", "reference")
    places = {entry.name: index for index, entry in enumerate(old.variants)}
    return tuple(sorted(entries, key=lambda e: (roles.index(e.role), places.get(e.name, len(places)))))


def _expectation_changes(before: dict[str, VariantEntry], new: StudyManifest, told: tuple[str, ...]) -> tuple[str, ...]:
    """One sentence for every prediction that was rewritten after the study began."""
    sentences = []
    for entry in new.variants:
        old = before.get(entry.name)
        if old is None or (old.expect == entry.expect and old.expect_cost == entry.expect_cost):
            continue
        sentences.append(f"{entry.name}: {_range(old.expect)} became {_range(entry.expect)} after the first run")
    return tuple(sentence for sentence in sentences if sentence not in told)


def _range(expect: tuple[float, float] | None) -> str:
    return "no expectation" if expect is None else f"{100 * expect[0]:+g}..{100 * expect[1]:+g} %"
