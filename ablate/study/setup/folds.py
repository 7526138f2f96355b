"""A cross-validated study in, one configuration a fold out."""

from collections.abc import Mapping, Sequence

from ablate.errors import AblateError, Problem
from ablate.recipe import Configuration
from ablate.request import Request
from ablate.result import (
    StudyManifest,
    content_key,
)
from ablate.result.manifest import CrossValidation
from ablate.study.setup.facts import DataFacts
from ablate.study.setup.manifest import identity_of
from ablate.variant import Variant


def in_folds(
    manifest: StudyManifest, variants: Sequence[Variant], facts: Mapping[str, DataFacts], request: Request
) -> StudyManifest:
    """The manifest with the runs of every fold; as it is where nothing is cross-validated.

    Raises AblateError for variants whose folds differ, and for what buys or chooses seeds one by one.
    """
    folds = {variant.name: variant.configuration.data.folds() for variant in variants}
    first, common = variants[0].name, folds[variants[0].name]
    others = [name for name in folds if folds[name] != common]
    if others:
        what = f"{', '.join(others)} and {first} are cross-validated otherwise, so they cannot be paired"
        raise AblateError(what, where="data.split", hint="give all variants the same folds")
    if common is None:
        return manifest
    count = len(common.names)
    over = "subjects" if common.over == "subject" else "folds"
    _refuse_bought_seeds(manifest, request, f"{count} {over}", over)
    plan = CrossValidation(names=common.names, over=common.over, overlap=common.overlap)
    configurations = {variant.name: variant.configuration for variant in variants}
    entries = []
    for entry in manifest.variants:
        identities = [identity_of(in_fold(configurations[entry.name], fold)) for fold in range(count)]
        fingerprint = facts[entry.name].fingerprint
        keys = {seed: tuple(content_key(one, seed, fingerprint) for one in identities) for seed in manifest.seeds}
        entries.append(entry.model_copy(update={"folds": keys, "keys": {seed: held[0] for seed, held in keys.items()}}))
    return manifest.model_copy(update={"variants": tuple(entries), "cross_validation": plan})


def _refuse_bought_seeds(manifest: StudyManifest, request: Request, what: str, over: str) -> None:
    """Raises AblateError for all that buys or chooses seeds one by one, with the reason.

    A seed of a cross-validation is a run of every fold, averaged within the fold: more of them narrow no interval
    beyond what the folds themselves differ by, and new ones test on the subjects that the gain was chosen on.
    """
    known = (
        (
            request.until,
            "--until settled does not go with a cross-validation",
            f"the interval is over the {what}, which are all there are: more seeds cannot settle what they differ by",
            f"name the seeds: `--seeds 0-4` averages each of the {over} over five; more subjects narrow the interval",
        ),
        (
            request.confirm,
            "--confirm does not go with a cross-validation",
            f"fresh seeds would be scored on the same {what} by which a gain was chosen: nothing is tested anew",
            "confirm on subjects that no fold holds: a study of theirs (`--data`), of the rows that were chosen",
        ),
        (
            manifest.retune,
            "retune: does not go with a cross-validation",
            "a setting that was chosen by all folds has seen every subject that they test",
            "search in one fold (`data.split.fold: 0`), write its setting into the recipe, then cross-validate",
        ),
    )
    problems = [Problem(f"{head}: {why}", "data.split", hint) for asked, head, why, hint in known if asked]
    if problems:
        raise AblateError(problems=tuple(problems))


def in_fold(configuration: Configuration, fold: int) -> Configuration:
    """The same run on one fold of its data."""
    return Configuration(
        data=configuration.data.in_fold(fold), model=configuration.model, training=configuration.training
    )
