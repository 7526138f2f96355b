"""A study whose own runs have ended and a request in, the runs that confirm its choice out. Trains nothing.

Rows and seeds are stored in the manifest before the first of these runs, so that neither can be chosen by its outcome;
asked again, the same runs are meant.
"""

from dataclasses import replace

from ablate.analysis.apart.choice import chosen_rows, fresh_seeds, lacking
from ablate.errors import AblateError
from ablate.request import Request
from ablate.result import Confirmation, content_key
from ablate.study.running.job import RunJob
from ablate.study.setup.manifest import identity_of
from ablate.study.study import Study


def with_confirmation(study: Study, request: Request) -> tuple[Study, tuple[str, ...]]:
    """The study with its confirmations planned and stored, and the rows that were asked for.

    Raises AblateError for a row that is unknown, or that this request leaves out.
    """
    assert request.confirm is not None
    store = study.store
    rows = chosen_rows(store, store.records(), request.confirm_rows)
    with store.lock_study():
        manifest = store.manifest()
        if new := lacking(manifest, rows, request.confirm):
            seeds = fresh_seeds(manifest, store.records(), request.confirm)
            base = next(entry.name for entry in manifest.variants if entry.role == "baseline")
            keys = {name: _keys(_template(study, name), seeds) for name in (base, *new)}
            planned = Confirmation(seeds=seeds, rows=new, keys=keys)
            manifest = manifest.model_copy(update={"confirmations": (*manifest.confirmations, planned)})
            store.write_manifest(manifest)
    return replace(study, manifest=manifest), rows


def confirmation_jobs(study: Study) -> tuple[RunJob, ...]:
    """The runs of all confirmations, seed-major; those of a row that this request leaves out wait."""
    jobs: dict[str, RunJob] = {}
    templates = {job.variant: job for job in study.jobs}
    for one in study.manifest.confirmations:
        for seed in one.seeds:
            for name, keys in one.keys.items():
                if name in templates:
                    job = templates[name].model_copy(update={"key": keys[seed], "seed": seed})
                    jobs.setdefault(job.key, job)
    return tuple(jobs.values())


def _template(study: Study, name: str) -> RunJob:
    """Any run of a variant: all of them but the seed and the key."""
    job = next((job for job in study.jobs if job.variant == name), None)
    if job is None:
        raise AblateError(f"`{name}` cannot be confirmed: this command leaves it out", hint="leave out --variants")
    return job


def _keys(job: RunJob, seeds: tuple[int, ...]) -> dict[int, str]:
    identity = identity_of(job.configuration)
    return {seed: content_key(identity, seed, job.data_fingerprint) for seed in seeds}
