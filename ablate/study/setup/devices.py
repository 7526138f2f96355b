"""A study's variants in, a refusal out where several devices cannot train one of them together."""

from collections.abc import Mapping, Sequence

from ablate.errors import Problem, Problems
from ablate.model.cost import outline
from ablate.study.setup.facts import DataFacts
from ablate.training.ranks import WHERE, batch_statistics
from ablate.variant import Variant


def check_shared(
    variants: Sequence[Variant], facts: Mapping[str, DataFacts], devices: int, *, rehearsal: bool = False
) -> None:
    """Raises AblateError with every variant that has fewer rows a step than devices, or takes statistics of a batch.

    A rehearsal's steps are small: it uses as many devices as they have rows.
    """
    problems = Problems()
    for variant in variants if devices > 1 else ():
        rows = variant.configuration.training.batch_size
        if rows < devices and not rehearsal:
            what = f"{devices} devices cannot share a batch of {rows}"
            problems.wrong.append(_of(variant, what, f"set `training.batch_size` to {devices} or more, or take fewer"))
        model = outline(variant.configuration.model, facts[variant.name].spec).train()
        for layer in list(batch_statistics(model))[:1]:
            what = f"`{layer}` takes statistics of its batch, and each of {devices} devices has a share of it"
            problems.wrong.append(_of(variant, what, "train it on one device, or put a norm of single rows there"))
    problems.refuse()


def _of(variant: Variant, what: str, hint: str) -> Problem:
    return Problem(what, WHERE if variant.role == "baseline" else f"{variant.name}: {WHERE}", hint)
