"""`ablate params`: what every variant weighs, side by side, on the meta device: nothing big is allocated."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ablate.cli.console import loading, stage
from ablate.cli.options import DataPaths, Sets, TableOrJson, known_format
from ablate.errors import AblateError

if TYPE_CHECKING:
    from ablate.variant import Variant

DEFAULT_RECIPE = Path("recipes/vivit_fixes.yaml")


def params(
    recipe: Annotated[
        Path | None, typer.Argument(help="The recipe [default: the shipped vivit_fixes].", metavar="[RECIPE]")
    ] = None,
    variant: Annotated[list[str] | None, typer.Option(help="Only this variant; may be repeated.")] = None,
    depth: Annotated[
        int, typer.Option(help="How deep to open the parts: 1 parts, 2 their modules, and so on.", min=1)
    ] = 1,
    format: TableOrJson = "table",
    units: Annotated[int | None, typer.Option(help="Units a session instead of the data's.", min=1)] = None,
    behaviors: Annotated[int | None, typer.Option(help="Behaviour variables instead of the data's.", min=0)] = None,
    sessions: Annotated[int | None, typer.Option(help="Sessions instead of the data's.", min=1)] = None,
    sets: Sets = None,
    data: DataPaths = None,
) -> None:
    """Weigh the variants side by side: parameters, FLOPs and shapes. With the change to the baseline, and lints."""
    with loading():
        from ablate.cli.screen.table.parameters import print_modules, print_tables
        from ablate.cli.weigh import weigh
        from ablate.model.cost import module_parameters
        from ablate.recipe import load_recipe
        from ablate.request import Request
        from ablate.study.setup.facts import data_sets
        from ablate.variant import lay_out

    known_format(format)
    path = recipe or default_recipe()
    request = Request(recipe=path, sets=tuple(sets or ()), data=tuple(data or ()))
    layout = lay_out(load_recipe(path, sets=data_sets(request)))
    weighed = weigh(
        chosen(layout.variants, variant or ()), units=units, behaviors=behaviors, sessions=sessions, tell=stage
    )
    stage()
    if format == "json":
        from ablate.cli.screen.document import cost_record, print_document

        print_document({"variants": {item.variant.name: cost_record(item.cost) for item in weighed}})
        return
    print_tables(weighed)
    if depth > 1:
        for item in weighed:
            configuration = item.variant.configuration
            modules = module_parameters(configuration.model, configuration.data.describe(), depth=depth)
            print_modules(item.variant.name, modules)


def default_recipe() -> Path:
    """The notes' recipe: in the checkout, else where the package was installed from."""
    from importlib import resources

    if DEFAULT_RECIPE.is_file():
        return DEFAULT_RECIPE
    beside = Path(str(resources.files("ablate"))).parent / DEFAULT_RECIPE
    if beside.is_file():
        return beside
    raise AblateError("no recipe is named, and recipes/vivit_fixes.yaml is not here", hint="ablate params RECIPE")


def chosen(variants: "Sequence[Variant]", names: Sequence[str]) -> "tuple[Variant, ...]":
    """The baseline and the variants named, or all."""
    known = {alias for v in variants for alias in (v.name, *v.aliases)}
    unknown = [name for name in names if name not in known]
    if unknown:
        listed = ", ".join(v.name for v in variants)
        raise AblateError(f"no variant is called `{unknown[0]}`", where="--variant", hint=f"the recipe has {listed}")
    keep = [v for v in variants if not names or v.role == "baseline" or {v.name, *v.aliases} & set(names)]
    return tuple(keep)
