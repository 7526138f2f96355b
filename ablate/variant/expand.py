"""A Recipe in, its ordered variants out, the baseline first, each validated again; or every problem at once.

Identical configurations become one variant that carries its other names. Refused: patches that change nothing,
patches that make the same configuration, contradictions whose order nobody stated, patches that no longer apply.
"""

from dataclasses import dataclass, field, replace
from typing import Any

from ablate.errors import AblateError, Problem
from ablate.recipe import Configuration, Patch, Plan, Recipe
from ablate.recipe.vocabulary.explain import did_you_mean
from ablate.result.manifest import Role
from ablate.variant.patch import conflicts
from ablate.variant.plan import Cell, cells_of, is_control
from ablate.variant.resolution import Resolution
from ablate.variant.variant import Layout, Variant

BASELINE = "baseline"


def expand(recipe: Recipe) -> tuple[Variant, ...]:
    """The variants of a recipe, the baseline first. Raises AblateError with all problems."""
    return lay_out(recipe).variants


def lay_out(recipe: Recipe) -> Layout:
    """The variants with the ladders that they form. Raises AblateError with all problems."""
    layout = survey(recipe)
    if layout.problems:
        raise AblateError(problems=layout.problems)
    return layout


def survey(recipe: Recipe) -> Layout:
    """The variants that are sound, with the problems of the others: for those who look for further ones first."""
    return _Expansion(recipe).layout()


@dataclass
class _Expansion:
    """Collects variants by their configuration, and problems."""

    recipe: Recipe
    variants: dict[str, Variant] = field(default_factory=dict)
    """By the configuration's text; controls by their name, since they may equal the baseline."""
    problems: list[Problem] = field(default_factory=list)
    primary: dict[tuple[str, ...], str] = field(default_factory=dict)
    """Patches -> key in `variants`."""

    def __post_init__(self) -> None:
        self.resolution = Resolution(self.recipe.tree, {(): self.recipe.configuration}, self.problems)

    def layout(self) -> Layout:
        recipe = self.recipe
        baseline = Variant(BASELINE, "baseline", recipe.configuration, title="as written", where=recipe.path)
        self.variants[_text(recipe.configuration)] = baseline
        for reference in recipe.references.values():
            self._reference(reference)
        plans = [(plan, self._cells(plan)) for plan in recipe.variants]
        for _, cells in plans:
            for cell in cells:
                self._cell(cell)
        self._names_differ()
        ladders = self._ladders(plans)
        for plan, _ in plans:
            self._expectations(plan)
        problems = tuple(dict.fromkeys(self.problems))
        return Layout(tuple(self.variants.values()), ladders, self._unused(), problems)

    def _cells(self, plan: Plan) -> list[Cell]:
        try:
            return cells_of(plan, self.recipe)
        except AblateError as error:
            self.problems += error.problems
            return []

    def _reference(self, reference: Patch) -> None:
        configuration = self.resolution.configuration((reference.name,), (reference,), reference.name)
        if configuration is None:
            return
        key = _text(configuration)
        if key in self.variants:
            what = f"reference `{reference.name}` has the same configuration as `{self.variants[key].name}`"
            self.problems.append(
                Problem(what, reference.where, "a reference is another model to be compared with: change it")
            )
            return
        self.variants[key] = Variant(
            reference.name,
            "reference",
            configuration,
            title=reference.title,
            patches=(reference.name,),
            expect=reference.expect,
            expect_cost=reference.expect_cost,
            parent=self.recipe.configuration,
            where=reference.where,
        )

    def _cell(self, cell: Cell) -> None:
        """One combination: a new variant, or another name of one that is there."""
        if cell.patches in self.primary:
            self._again(self.primary[cell.patches], cell)
            return
        patches = tuple(self.recipe.patches[name] for name in cell.patches)
        if not cell.ordered:
            found = conflicts(self.recipe.tree, patches, cell.name)
            self.problems += found
            if found:
                return
        configuration = self.resolution.configuration(cell.patches, patches, cell.name)
        if configuration is None or not self.resolution.every_patch_counts(cell, patches):
            return
        control = all(is_control(patch) for patch in patches)
        key = f"control {cell.name}" if control else _text(configuration)
        self.primary[cell.patches] = key
        if key not in self.variants:
            self.variants[key] = self._variant(cell, patches, configuration, "control" if control else "variant")
        elif self._may_share(cell, key):
            self._again(key, cell)

    def _variant(self, cell: Cell, patches: tuple[Patch, ...], configuration: Configuration, role: Role) -> Variant:
        single = patches[0] if len(patches) == 1 else None
        titles = [patch.title or patch.name for patch in patches]
        return Variant(
            cell.name,
            role,
            configuration,
            title=cell.plan.title or (single.title if single else " + ".join(titles)),
            patches=cell.patches,
            strategies=(cell.strategy,),
            expect=single.expect if single else None,
            expect_cost=cell.plan.expect_cost or (single.expect_cost if single else None),
            parent=self.resolution.quietly(cell.patches[:-1], patches[:-1]),
            allow_noop=all(patch.allow_noop for patch in patches),
            where=single.where if single else cell.plan.where,
        )

    def _may_share(self, cell: Cell, key: str) -> bool:
        """Whether a combination may be another name of a variant; two patches that do the same are refused."""
        other = self.variants[key]
        if other.role == "baseline":
            what = f"the patches of `{cell.name}` undo each other: its configuration is the baseline's"
            self.problems.append(Problem(what, cell.plan.where, "leave this combination out"))
            return False
        if len(cell.patches) == len(other.patches) == 1 and other.role == "variant":
            what = f"patches `{other.name}` and `{cell.name}` make the same configuration"
            self.problems.append(Problem(what, self.recipe.patches[cell.name].where, "keep one of the two"))
            return False
        return True

    def _again(self, key: str, cell: Cell) -> None:
        """The same configuration asked for once more: run once, shown under both names."""
        variant = self.variants[key]
        aliases, strategies = variant.aliases, variant.strategies
        if cell.name not in variant.names:
            aliases = (*aliases, cell.name)
        if cell.strategy not in strategies and variant.role != "reference":
            strategies = (*strategies, cell.strategy)
        title = cell.plan.title or variant.title
        cost = cell.plan.expect_cost or variant.expect_cost
        self.variants[key] = replace(variant, aliases=aliases, strategies=strategies, title=title, expect_cost=cost)

    def _names_differ(self) -> None:
        owners: dict[str, Variant] = {}
        for variant in self.variants.values():
            for name in variant.names:
                if name in owners:
                    what = f"two variants with different configurations are called `{name}`"
                    self.problems.append(Problem(what, variant.where, "give one of them another `name:`"))
                owners[name] = variant

    def _ladders(self, plans: list[tuple[Plan, list[Cell]]]) -> tuple[tuple[str, ...], ...]:
        ladders = []
        for plan, cells in plans:
            rungs = tuple(
                self.variants[self.primary[cell.patches]].name for cell in cells if cell.patches in self.primary
            )
            if plan.strategy == "ladder" and rungs:
                ladders.append(rungs)
        return tuple(dict.fromkeys(ladders))

    def _expectations(self, plan: Plan) -> None:
        """The expectations that stand on an entry of `variants`."""
        for name, gain in plan.expect.items():
            key = next((key for key, variant in self.variants.items() if name in variant.names), None)
            if key is None:
                if not self.problems:  # else its variant may be missing because of them
                    known = tuple(name for variant in self.variants.values() for name in variant.names)
                    what = f"`{plan.path}.expect` names `{name}`, which is no variant"
                    self.problems.append(Problem(what, plan.where, did_you_mean(name, known, what="variants")))
                continue
            variant = self.variants[key]
            if variant.expect not in (None, gain):
                both = f"{_pair(variant.expect)} and {_pair(gain)}"
                what = f"two different gains are expected of variant `{variant.name}`: {both}"
                self.problems.append(Problem(what, plan.where, "state `expect` in one place"))
            self.variants[key] = replace(variant, expect=gain)

    def _unused(self) -> tuple[Problem, ...]:
        used = {name for variant in self.variants.values() for name in variant.patches}
        used |= {name for patches in self.primary for name in patches}
        return tuple(
            Problem(f"patch `{name}` is in no variant", patch.where, "add it to `variants`, or `each`")
            for name, patch in self.recipe.patches.items()
            if name not in used
        )


def _text(configuration: Configuration) -> str:
    return configuration.model_dump_json()


def _pair(gain: Any) -> str:
    return f"[{gain[0]:g}, {gain[1]:g}]"
