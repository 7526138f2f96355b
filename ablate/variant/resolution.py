"""Patches in, the validated configuration of the baseline with them out, each combination worked out once."""

from dataclasses import dataclass, replace

from ablate.errors import Problem, Problems
from ablate.recipe import Configuration, Patch
from ablate.recipe.resolve import resolve
from ablate.recipe.tree.node import Node
from ablate.variant.patch import apply, stale
from ablate.variant.selection import Combination
from ablate.variant.teaching import equally_scored, equally_taught


@dataclass
class Resolution:
    """What each combination of patches makes of the baseline, by the patches' names; and what is wrong with it."""

    baseline: Node
    resolved: dict[tuple[str, ...], Configuration | None]
    problems: Problems

    def configuration(self, names: tuple[str, ...], patches: tuple[Patch, ...], variant: str) -> Configuration | None:
        """The validated configuration of some patches; problems are named once."""
        if names not in self.resolved:
            before = apply(self.baseline, patches[:-1])
            own, found = Problems(), stale(self.baseline, before, patches[-1])
            resolved = resolve(apply(before, patches[-1:]), own)
            suffix = f" (variant `{variant}`)" if len(patches) > 1 else ""
            found += [replace(problem, what=problem.what + suffix) for problem in own.found]
            self.problems.wrong += found
            self.resolved[names] = self._taught(resolved.configuration) if not found else None
        return self.resolved[names]

    def quietly(self, names: tuple[str, ...], patches: tuple[Patch, ...]) -> Configuration | None:
        """The configuration of a combination that nobody asked for: what is wrong with it is no one's concern."""
        if names in self.resolved:
            return self.resolved[names]
        return self._taught(resolve(apply(self.baseline, patches), Problems()).configuration)

    def _taught(self, configuration: Configuration | None) -> Configuration | None:
        """With the baseline's metric and supervised bins a step."""
        baseline = self.resolved[()]
        if configuration is None or baseline is None:
            return configuration
        return equally_taught(equally_scored(configuration, baseline), baseline)

    def every_patch_counts(self, combination: Combination, patches: tuple[Patch, ...]) -> bool:
        """Whether every patch of a combination changes the configuration; a problem for each that does not."""
        whole, counts = self.resolved[combination.patches], True
        for left, patch in enumerate(patches):
            others = patches[:left] + patches[left + 1 :]
            rest = combination.patches[:left] + combination.patches[left + 1 :]
            without = self.quietly(rest, others)
            if without is None or without != whole or patch.allow_noop:
                continue
            counts = False
            self.problems.wrong.append(_changes_nothing(patch, others, combination))
        return counts


def _changes_nothing(patch: Patch, others: tuple[Patch, ...], combination: Combination) -> Problem:
    """Why a patch leaves its variant as it was."""
    if not others:
        what = f"patch `{patch.name}` changes nothing: what it sets is so in the baseline already"
        hint = "correct the patch, or keep it as an A/A control by `allow_noop: true`"
        return Problem(what, patch.where, hint)
    what = (
        f"patch `{patch.name}` changes nothing in variant `{combination.name}`: "
        "the other patches replace or already say what it sets"
    )
    return Problem(
        what,
        combination.selection.where or patch.where,
        f"leave `{patch.name}` out of this combination, or correct the patch",
    )
