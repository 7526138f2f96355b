"""Which run is meant: a run's folder, or a study's folder with a variant and a seed. Loads no torch."""

import difflib
from pathlib import Path

from ablate.disk.absent import absent
from ablate.errors import AblateError
from ablate.result import Store, StudyManifest, VariantEntry

TRAIN_FOR_WEIGHTS = "committed studies keep scores, not weights: `ablate run RECIPE --fresh` trains them again"


def run_in(path: Path) -> tuple[Store, str] | None:
    """The run whose folder this is, results/<study>/runs/<key>; None for any other path."""
    run = path.resolve()
    if (run / "record.json").is_file() and run.parent.name == "runs":
        return Store(run.parent.parent), run.name
    return None


def no_run(path: Path) -> AblateError:
    """The error for a path that is neither a run's folder nor a study's."""
    hint = "name results/<study>, or results/<study>/runs/<key>"
    if not path.exists():
        return absent(path, "there is no such folder", hint)
    return AblateError("is neither a run's folder nor a study's", where=str(path), hint=hint)


def named_run(path: Path, variant: str | None = None, seed: int | None = None) -> tuple[Store, str]:
    """A finished run with weights. Raises AblateError where none is meant, several are, or its weights are gone.

    path: a run's folder or a study's. variant: by name or alias; needed where a study has several. seed: default the
    first that is finished.
    """
    run = run_in(path)
    if run is not None:
        if variant is not None or seed is not None:
            raise AblateError("this folder is one run already", where=str(path), hint="leave --variant and --seed out")
        return _with_weights(*run)
    if not (path / "study.json").is_file():
        raise no_run(path)
    store = Store(path)
    entry = _entry(store.manifest(), variant, str(path))
    keys = {**entry.keys, **store.manifest().confirming(entry.name)}
    if seed is not None:
        if seed not in keys:
            known = ", ".join(map(str, sorted(keys)))
            raise AblateError(f"{entry.name} has no seed {seed}", where=str(path), hint=f"its seeds are {known}")
        return _with_weights(store, keys[seed])
    kept = [key for key in keys.values() if store.weights(key) is not None]
    return _with_weights(store, kept[0] if kept else next(iter(keys.values())))


def _entry(manifest: StudyManifest, variant: str | None, where: str) -> VariantEntry:
    names = {name: entry for entry in manifest.variants for name in (entry.name, *entry.aliases)}
    listed = ", ".join(entry.name for entry in manifest.variants)
    if variant is None:
        if len(manifest.variants) == 1:
            return manifest.variants[0]
        what = f"the study has {len(manifest.variants)} variants"
        raise AblateError(what, where=where, hint=f"name one by --variant: {listed}")
    if variant in names:
        return names[variant]
    near = difflib.get_close_matches(variant, names, n=1)
    hint = f"did you mean {near[0]}?" if near else f"its variants are {listed}"
    raise AblateError(f"the study has no variant `{variant}`", where=where, hint=hint)


def _with_weights(store: Store, key: str) -> tuple[Store, str]:
    where = str(store.folder(key))
    if not store.has(key):
        hint = "`ablate run RECIPE` trains what is missing"
        raise AblateError("this run has not been trained", where=where, hint=hint)
    record = store.record(key)
    if record.state != "done":
        raise AblateError(f"the run is {record.state}, so there is no fitted model", where=where)
    if store.weights(key) is None:
        raise AblateError("the run kept no weights, so there is no fitted model", where=where, hint=TRAIN_FOR_WEIGHTS)
    return store, key
