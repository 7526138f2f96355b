"""The plain entries of a recipe (texts, ranges, seeds, names) out of its tree; whatever is wrong is collected."""

import math
import re
from dataclasses import dataclass

from ablate.disk.read import Json
from ablate.errors import Problem, Problems
from ablate.recipe.schema import STRATEGIES, Range, Selection, Strategy
from ablate.recipe.tree.node import Node, shortened
from ablate.recipe.vocabulary.explain import did_you_mean, written
from ablate.recipe.vocabulary.normal import unknown_key
from ablate.result.manifest import AnalysisRule, LookedAt

SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,79}")
"""Names become folders and command-line words."""

SELECTION_KEYS = ("name", "title", "patches", "expect", "expect_cost", *STRATEGIES)


@dataclass(frozen=True)
class Reading:
    """Reads entries one by one; what is wrong goes to `problems`, and the default stands in."""

    problems: Problems

    def fault(self, node: Node, wanted: str, hint: str = "") -> None:
        self.problems.fault(f"`{node.path}` is {written(node)}, expected {wanted}", node.where, hint)

    def known_keys(self, node: Node, known: tuple[str, ...]) -> None:
        for key, value in node.value.items():
            if key not in known:
                self.problems.unknown.append(unknown_key(value, key, known))

    def text(self, node: Node | None, default: str = "") -> str:
        if node is None or node.value is None:
            return default
        if isinstance(node.value, str):
            return node.value.strip()
        if isinstance(node.value, int | float) and not isinstance(node.value, bool):
            return str(node.value)
        self.fault(node, "text")
        return default

    def name(self, node: Node | None, default: str) -> str:
        text = self.text(node, default)
        if node is not None and not SAFE_NAME.fullmatch(text):
            self.fault(
                node, "a name of letters, digits, `_`, `-` and `.`", "the name is also that of the results folder"
            )
        return text

    def flag(self, node: Node | None, default: bool = False) -> bool:
        if node is None or node.value is None:
            return default
        if isinstance(node.value, bool):
            return node.value
        self.fault(node, "true or false")
        return default

    def whole(self, node: Node | None) -> int | None:
        if node is None or node.value is None:
            return None
        if isinstance(node.value, int) and not isinstance(node.value, bool):
            return node.value
        self.fault(node, "a whole number")
        return None

    def seeds(self, node: Node | None) -> tuple[int, ...]:
        if node is None or node.value is None:
            return (0,)
        values = [item.value for item in node.value] if node.is_list else []
        if not values or not all(
            isinstance(value, int) and not isinstance(value, bool) and value >= 0 for value in values
        ):
            if values and all(isinstance(value, str) for value in values):
                text = ", ".join(f'"{value}"' for value in values)
                what = f"`{node.path}` is [{shortened(text)}], a list of texts, expected a list of whole numbers"
                self.problems.fault(what, node.where, "leave the quotation marks out")
                return (0,)
            count = node.value if isinstance(node.value, int) and 0 < node.value < 20 else 3
            self.fault(node, "a list of whole numbers", f"for {count} seeds write `seeds: {list(range(int(count)))}`")
            return (0,)
        if len(set(values)) < len(values):
            what = f"`{node.path}` names a seed twice"
            self.problems.fault(what, node.where, "every seed is one run of each variant")
        return tuple(values)

    def looked_at(self, node: Node | None) -> LookedAt | None:
        """Seeds that chose something before the study: `looked_at: {seeds: [0, 1, 2], why: they chose the regime}`."""
        if node is None or node.value is None:
            return None
        hint = "write `looked_at: {seeds: [0, 1, 2], why: the regime was chosen on them}`"
        if not node.is_mapping:
            self.fault(node, "a mapping", hint)
            return None
        self.known_keys(node, tuple(LookedAt.model_fields))
        seeds, why = node.get("seeds"), node.get("why")
        for key, found in (("seeds", seeds), ("why", why)):
            if found is None or found.value in (None, ""):
                self.problems.fault(f"`{node.path}` says no `{key}`", node.where, hint)
        chosen, text = self.seeds(seeds), self.text(why)
        return LookedAt(seeds=chosen, why=text) if seeds is not None and text else None

    def range(self, node: Node | None) -> Range | None:
        """An expected relative gain: `[0.03, 0.05]`."""
        if node is None or node.value is None:
            return None
        values = [item.value for item in node.value] if node.is_list else []
        if len(values) != 2 or not all(_is_number(value) for value in values):
            self.fault(node, "a list of 2 numbers", "a relative gain from low to high: `[0.03, 0.05]` is +3 to +5 %")
            return None
        low, high = float(values[0]), float(values[1])
        if low > high:
            self.fault(node, "the lower number first", f"write `[{values[1]}, {values[0]}]`")
            return None
        if max(abs(low), abs(high)) > 1:
            what = f"`{node.path}` expects a change of {100 * max(low, high, key=abs):g} %"
            self.problems.notices.append(Problem(what, node.where, "gains are relative: 0.03 is 3 %"))
        return low, high

    def costs(self, node: Node | None) -> dict[str, float] | None:
        if node is None or node.value is None:
            return None
        if not node.is_mapping or not all(_is_number(value.value) for value in node.value.values()):
            self.fault(node, "a mapping from a cost to a number", "the cost relative to the baseline: `{flops: 2.6}`")
            return None
        return {key: float(value.value) for key, value in node.value.items()}

    def rule(self, node: Node | None) -> AnalysisRule:
        """How gains become verdicts: `analysis: {variance: moderated, worth: 0.03}`."""
        if node is None or node.value is None:
            return AnalysisRule()
        if not node.is_mapping:
            self.fault(node, "a mapping", "write `analysis: {variance: moderated, worth: 0.03}`")
            return AnalysisRule()
        self.known_keys(node, tuple(AnalysisRule.model_fields))
        variance, worth = node.get("variance"), node.get("worth")
        kept: Json = {}
        if variance is not None and variance.value is not None:
            if variance.value in ("moderated", "own"):
                kept["variance"] = variance.value
            else:
                self.fault(variance, "`moderated` or `own`", "moderated: all rows together tell what spread is usual")
        if worth is not None and worth.value is not None:
            if _is_number(worth.value) and 0 < worth.value < 1:
                kept["worth"] = float(worth.value)
            else:
                self.fault(worth, "a number between 0 and 1", "the smallest relative gain worth having: 0.03 is 3 %")
        return AnalysisRule(**kept)

    def selections(self, node: Node | None, patches: tuple[str, ...]) -> tuple[Selection, ...]:
        """The entries of `variants`; `each` where nothing is written."""
        if node is None or node.value is None:
            return (Selection("each"),) if patches else ()
        items = node.value if node.is_list else (node,)
        found = [self._selection(item, patches) for item in items]
        return tuple(selection for selection in found if selection is not None)

    def _selection(self, node: Node, patches: tuple[str, ...]) -> Selection | None:
        if isinstance(node.value, str):
            strategy = _strategy(node.value)
            if strategy:
                return Selection(strategy, where=node.where, path=node.path)
            names = self._names(Node((node,), node.where, node.path), patches)
            return Selection("list", names, where=node.where, path=node.path) if names else None
        if node.is_list:
            names = self._names(node, patches)
            return Selection("list", names, where=node.where, path=node.path) if names else None
        if node.is_mapping:
            return self._mapped_selection(node, patches)
        self.fault(node, "a strategy, a list of patches, or a mapping", f"strategies: {', '.join(STRATEGIES)}")
        return None

    def _mapped_selection(self, node: Node, patches: tuple[str, ...]) -> Selection | None:
        self.known_keys(node, SELECTION_KEYS)
        heads = [key for key in (*STRATEGIES, "patches") if key in node.value]
        if len(heads) != 1:
            what = f"`{node.path}` names {' and '.join(f'`{head}`' for head in heads) or 'no strategy and no patches'}"
            hint = "write `{patches: [p1, p2]}` or one strategy: `{ladder: [p1, p2]}`"
            self.problems.fault(what, node.where, hint)
            return None
        chosen = node.value[heads[0]]
        names = None if heads[0] != "patches" and chosen.value in (None, "all") else self._names(chosen, patches)
        if names == () or (names is None and heads[0] == "patches"):
            return None
        strategy = _strategy(heads[0]) or "list"
        expect, where = node.get("expect"), node.where
        given_name = self.name(node.get("name"), "")
        if strategy == "list":
            gain = self.range(expect)
            expected = {given_name or "+".join(names or ()): gain} if gain else {}
        else:
            expected = self._expectations(expect)
        cost = self.costs(node.get("expect_cost"))
        return Selection(strategy, names, given_name, self.text(node.get("title")), expected, cost, where, node.path)

    def _expectations(self, node: Node | None) -> dict[str, Range]:
        """Expected gains by the name of the variant."""
        if node is None or node.value is None:
            return {}
        if not node.is_mapping:
            self.fault(node, "a mapping from a variant to its expected gain", "write `expect: {p1+p2: [0.05, 0.07]}`")
            return {}
        ranges = {key: self.range(value) for key, value in node.value.items()}
        return {key: gain for key, gain in ranges.items() if gain is not None}

    def _names(self, node: Node, patches: tuple[str, ...]) -> tuple[str, ...]:
        """Names of patches, each known and written once."""
        if not node.is_list or not node.value or not all(isinstance(item.value, str | int) for item in node.value):
            self.fault(node, "a list of patches", f"patches: {', '.join(patches)}")
            return ()
        names = [str(item.value) for item in node.value]
        faults = [item for item, name in zip(node.value, names, strict=True) if name not in patches]
        for item in faults:
            choices = (*patches, *STRATEGIES) if len(names) == 1 else patches
            hint = did_you_mean(str(item.value), choices, what="patches")
            self.problems.fault(f"`{node.path}` names `{item.value}`, which is no patch", item.where, hint)
        for name in sorted({name for name in names if names.count(name) > 1}):
            self.problems.fault(f"`{node.path}` names `{name}` twice", node.where, "a patch is applied once")
        return () if faults or len(set(names)) < len(names) else tuple(names)


def _strategy(word: str) -> Strategy | None:
    return next((strategy for strategy in STRATEGIES if strategy == word), None)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
