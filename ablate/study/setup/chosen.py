"""A request in, which of a recipe's variants it means, rehearsed or whole, out."""

from collections.abc import Sequence
from dataclasses import replace

from ablate.errors import AblateError, Problem
from ablate.recipe import Configuration
from ablate.request import Request
from ablate.variant import Variant


def rehearsed(variants: Sequence[Variant], quick: bool) -> tuple[Variant, ...]:
    """Every variant cut down to a few steps on little data, for `--quick`."""
    if not quick:
        return tuple(variants)
    return tuple(replace(variant, configuration=rehearse(variant.configuration)) for variant in variants)


def rehearse(configuration: Configuration) -> Configuration:
    """The same model on little data for a few steps."""
    return Configuration(
        data=configuration.data.rehearsal(),
        model=configuration.model,
        training=configuration.training.rehearsal(),
    )


def select(variants: Sequence[Variant], request: Request) -> tuple[Variant, ...]:
    """The variants that were asked for, the baseline always among them unless `--only` says otherwise."""
    names = request.variant_names()
    if names is None:
        return tuple(variants)
    known = {alias: variant for variant in variants for alias in (variant.name, *variant.aliases)}
    unknown = [name for name in names if name not in known]
    if unknown:
        hint = f"the recipe has {', '.join(variant.name for variant in variants)}"
        option = "--variants" if request.only is None else "--only"
        raise AblateError(problems=tuple(Problem(f"no variant is called `{name}`", option, hint) for name in unknown))
    wanted = {known[name].name for name in names}
    keep_baseline = request.only is None
    return tuple(v for v in variants if v.name in wanted or (keep_baseline and v.role == "baseline"))
