"""A Recipe in, its ordered variants out, the baseline first, each validated again; or every problem at once.

Identical configurations become one variant that carries its other names. Refused: patches that change nothing,
patches that make the same configuration, contradictions whose order nobody stated, patches that no longer apply.
"""

from dataclasses import dataclass, field, replace

from ablate.errors import Problem, Problems
from ablate.recipe import Configuration, Patch, Recipe, Selection
from ablate.recipe.vocabulary.explain import did_you_mean
from ablate.result.manifest import Role
from ablate.variant.patch import conflicts
from ablate.variant.resolution import Resolution
from ablate.variant.selection import Combination, combinations_of, is_control
from ablate.variant.variant import Layout, Variant

BASELINE = "baseline"


def lay_out(recipe: Recipe) -> Layout:
    """The variants of a recipe, the baseline first, and its ladders. Raises AblateError with all problems."""
    problems = Problems()
    layout = survey(recipe, problems)
    problems.refuse()
    return layout


def survey(recipe: Recipe, problems: Problems) -> Layout:
    """The variants that are sound; what is wrong with the others goes to `problems`, for those who look for more."""
    return _Expansion(recipe, problems).layout()


@dataclass
class _Expansion:
    """Collects variants by their configuration, and problems."""

    recipe: Recipe
    problems: Problems
    variants: dict[str, Variant] = field(default_factory=dict)
    """By the configuration's text; controls by their name, since they may equal the baseline."""
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
        selections = [(selection, self._combinations(selection)) for selection in recipe.variants]
        for _, combinations in selections:
            for combination in combinations:
                self._combination(combination)
        self._names_differ()
        ladders = self._ladders(selections)
        for selection, _ in selections:
            self._expectations(selection)
        self._unused()
        return Layout(tuple(self.variants.values()), ladders)

    def _combinations(self, selection: Selection) -> list[Combination]:
        with self.problems.collecting():
            return combinations_of(selection, self.recipe)
        return []

    def _reference(self, reference: Patch) -> None:
        configuration = self.resolution.configuration((reference.name,), (reference,), reference.name)
        if configuration is None:
            return
        key = _text(configuration)
        if key in self.variants:
            what = f"reference `{reference.name}` has the same configuration as `{self.variants[key].name}`"
            self.problems.fault(what, reference.where, "a reference is another model to be compared with: change it")
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

    def _combination(self, combination: Combination) -> None:
        """One combination: a new variant, or another name of one that is there."""
        if combination.patches in self.primary:
            self._again(self.primary[combination.patches], combination)
            return
        patches = tuple(self.recipe.patches[name] for name in combination.patches)
        if not combination.ordered:
            found = conflicts(self.recipe.tree, patches, combination.name)
            self.problems.wrong += found
            if found:
                return
        configuration = self.resolution.configuration(combination.patches, patches, combination.name)
        if configuration is None or not self.resolution.every_patch_counts(combination, patches):
            return
        control = all(is_control(patch) for patch in patches)
        key = f"control {combination.name}" if control else _text(configuration)
        self.primary[combination.patches] = key
        if key not in self.variants:
            self.variants[key] = self._variant(combination, patches, configuration, "control" if control else "variant")
        elif self._may_share(combination, key):
            self._again(key, combination)

    def _variant(
        self, combination: Combination, patches: tuple[Patch, ...], configuration: Configuration, role: Role
    ) -> Variant:
        single = patches[0] if len(patches) == 1 else None
        titles = [patch.title or patch.name for patch in patches]
        return Variant(
            combination.name,
            role,
            configuration,
            title=combination.selection.title or (single.title if single else " + ".join(titles)),
            patches=combination.patches,
            strategies=(combination.strategy,),
            expect=single.expect if single else None,
            expect_cost=combination.selection.expect_cost or (single.expect_cost if single else None),
            parent=self.resolution.quietly(combination.patches[:-1], patches[:-1]),
            allow_noop=all(patch.allow_noop for patch in patches),
            where=single.where if single else combination.selection.where,
        )

    def _may_share(self, combination: Combination, key: str) -> bool:
        """Whether a combination may be another name of a variant; two patches that do the same are refused."""
        other = self.variants[key]
        if other.role == "baseline":
            what = f"the patches of `{combination.name}` undo each other: its configuration is the baseline's"
            self.problems.fault(what, combination.selection.where, "leave this combination out")
            return False
        if len(combination.patches) == len(other.patches) == 1 and other.role == "variant":
            what = f"patches `{other.name}` and `{combination.name}` make the same configuration"
            self.problems.fault(what, self.recipe.patches[combination.name].where, "keep one of the two")
            return False
        return True

    def _again(self, key: str, combination: Combination) -> None:
        """The same configuration asked for once more: run once, shown under both names."""
        variant = self.variants[key]
        aliases, strategies = variant.aliases, variant.strategies
        if combination.name not in variant.names:
            aliases = (*aliases, combination.name)
        if combination.strategy not in strategies and variant.role != "reference":
            strategies = (*strategies, combination.strategy)
        title = combination.selection.title or variant.title
        cost = combination.selection.expect_cost or variant.expect_cost
        self.variants[key] = replace(variant, aliases=aliases, strategies=strategies, title=title, expect_cost=cost)

    def _names_differ(self) -> None:
        owners: dict[str, Variant] = {}
        for variant in self.variants.values():
            for name in variant.names:
                if name in owners:
                    what = f"two variants with different configurations are called `{name}`"
                    self.problems.fault(what, variant.where, "give one of them another `name:`")
                owners[name] = variant

    def _ladders(self, selections: list[tuple[Selection, list[Combination]]]) -> tuple[tuple[str, ...], ...]:
        ladders = []
        for selection, combinations in selections:
            rungs = tuple(
                self.variants[self.primary[combination.patches]].name
                for combination in combinations
                if combination.patches in self.primary
            )
            if selection.strategy == "ladder" and rungs:
                ladders.append(rungs)
        return tuple(dict.fromkeys(ladders))

    def _expectations(self, selection: Selection) -> None:
        """The expectations that stand on an entry of `variants`."""
        for name, gain in selection.expect.items():
            key = next((key for key, variant in self.variants.items() if name in variant.names), None)
            if key is None:
                if not self.problems:  # else its variant may be missing because of them
                    known = tuple(name for variant in self.variants.values() for name in variant.names)
                    what = f"`{selection.path}.expect` names `{name}`, which is no variant"
                    self.problems.fault(what, selection.where, did_you_mean(name, known, what="variants"))
                continue
            variant = self.variants[key]
            if variant.expect not in (None, gain):
                both = f"{_pair(variant.expect)} and {_pair(gain)}"
                what = f"two different gains are expected of variant `{variant.name}`: {both}"
                self.problems.fault(what, selection.where, "state `expect` in one place")
            self.variants[key] = replace(variant, expect=gain)

    def _unused(self) -> None:
        used = {name for variant in self.variants.values() for name in variant.patches}
        used |= {name for patches in self.primary for name in patches}
        self.problems.notices += [
            Problem(f"patch `{name}` is in no variant", patch.where, "add it to `variants`, or `each`")
            for name, patch in self.recipe.patches.items()
            if name not in used
        ]


def _text(configuration: Configuration) -> str:
    return configuration.model_dump_json()


def _pair(gain: tuple[float, float]) -> str:
    return f"[{gain[0]:g}, {gain[1]:g}]"
