"""Variants in, the same variants out if each of them is a real change: a patch that silently does nothing is refused.

Every variant is compared with its parent (the same variant without its last patch). What each test can probe:

* `baseline.*`: by the model itself. Parameter names and shapes; FLOPs and shapes of maps; initial weights; loss,
  penalty, predictions and gradient of one fixed batch in train mode with fixed random streams, at several points of
  training. All equal to the last bit: nothing reads the option.
* `training.*`: by what the loop makes of it. The learning rate of each step, which steps are scored, when patience
  ends; every other option is read whenever its value differs, except those that change no number (checkpoints).
* `data.*`: by a rehearsal's batches and scored bins. Equal but for behaviour, and a model that does not read
  behaviour: nothing reads the option. What a rehearsal sets itself, or does not show, counts as real.

A patch is real if one of its three parts is.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import islice

import torch
from pydantic import BaseModel

from ablate.contract import Batch, DataOptions, Dataset
from ablate.disk.read import Json
from ablate.errors import AblateError, Problem, Problems
from ablate.model import ModelConfig
from ablate.model.cost import describe, described
from ablate.recipe import Configuration
from ablate.training import TrainingConfig
from ablate.training.optimization.schedule import learning_rate
from ablate.variant.behave import batch_tensors, behavior, digest, shapes
from ablate.variant.diff import differences
from ablate.variant.own_part import blame_own_parts, imported_targets, refuse_leaks
from ablate.variant.variant import Variant

BATCH_SIZE = 2
BATCHES = 2  # compared where the data differ: the first alone could agree by chance
SAMPLED_STEPS = 500  # learning rates compared


@dataclass(frozen=True)
class Effect:
    """Whether a configuration does anything else than its parent. why: what differs. unread: key paths that nothing
    reads."""

    real: bool
    why: str = ""
    unread: tuple[str, ...] = ()


def real_variants(
    variants: Sequence[Variant],
    problems: Problems,
    *,
    allow_noop: bool = False,
    probe: "Probe | None" = None,
    tell: Callable[[str], None] = lambda doing: None,
) -> tuple[Variant, ...]:
    """The variants that do something; one that does nothing is a control if its patch (or `allow_noop`) says so.

    Others that do nothing go to `problems`, and so does whatever a variant's model or data cannot be built for; where
    that is the baseline, it is said of the baseline alone. A section of a real patch that nothing reads is a notice.
    """
    probe, kept = probe or Probe(), list[Variant]()
    for number, variant in enumerate(variants, 1):
        tell(f"checking variant {number} of {len(variants)}: {variant.name}")
        own, effect = Problems(), Effect(True)
        with own.collecting(), blame_own_parts(variant.configuration):
            if variant.parent is not None:
                effect = probe(variant.parent, variant.configuration)
            if variant.parent is None or imported_targets(variant.configuration.model_dump()):
                probe.describe(variant.configuration)  # an own part is run once, though the probe may not have had to
        problems.wrong += [_in_variant(problem, variant) for problem in own.found]
        if own and variant.parent is None:
            break
        if own:
            continue
        if effect.real:
            kept.append(variant)
            if effect.unread:
                notice = f"`{variant.name}`: nothing reads {_listed(effect.unread)}"
                problems.notices.append(Problem(notice, variant.where))
        elif variant.allow_noop or allow_noop:
            kept.append(replace(variant, role="control"))
        else:
            problems.wrong.append(_noop(variant, effect))
    return tuple(kept)


@dataclass
class Probe:
    """Compares two configurations; opened data and what was measured are kept for the next pair."""

    datasets: dict[str, Dataset] = field(default_factory=dict)
    checks: dict[str, list[str | None]] = field(default_factory=dict)
    running: dict[str, Iterator[str]] = field(default_factory=dict)
    """What has further checks, each with a model and its gradients in memory."""

    def __call__(self, before: Configuration, after: Configuration) -> Effect:
        changed = tuple(differences(before, after))
        by_section = {
            name: tuple(path for path in changed if path.startswith(f"{name}."))
            for name in ("training", "baseline", "data")
        }
        tests = {"training": training_differs, "baseline": self.model_differs, "data": self.data_differ}
        why, unread = "", tuple[str, ...]()
        for name, paths in by_section.items():
            if not paths:
                continue
            found = tests[name](before, after)
            why = why or found
            unread += () if found else paths
        return Effect(bool(why), why, unread)

    def describe(self, config: Configuration) -> None:
        """Builds a model and runs it once, by its shapes alone."""
        describe(config.model, config.data.describe())
        if imported_targets(config.model_dump()):
            refuse_leaks(config, self._open(config.data).spec)

    def model_differs(self, before: Configuration, after: Configuration) -> str:
        """What tells two models apart on the variant's data; empty if nothing does."""
        spec = after.data.describe()  # as the manifest asks: what a rehearsal would show of shapes is not asked too
        try:
            first, parameters = described(before.model, spec)
        except AblateError:
            return "the parent does not fit the data"  # `behavior: none` under a modulator that needs behaviour
        second, others = described(after.model, spec)
        if parameters != others:
            return "parameters"
        if (first.flops, first.shapes) != (second.flops, second.shapes):
            return "FLOPs"  # told without a number, where the next takes weights and a pass over a whole window
        data = self._open(after.data)
        return "" if self._behave_alike((before.model, data), (after.model, data)) else "loss or gradient"

    def data_differ(self, before: Configuration, after: Configuration) -> str:
        """What tells two data sets apart for the variant's model; empty only where that is certain."""
        rehearsed = [config.data.rehearsal() for config in (before, after)]
        if not _shown_by(rehearsed[0], rehearsed[1], before.data, after.data):
            return "data"
        first, second = self._open(before.data), self._open(after.data)
        if first.spec.task != second.spec.task or _scored(first) != _scored(second):
            return "scored bins"
        behavior_differs = False
        for one, other in zip(_batches(first), _batches(second), strict=True):
            ones, others = batch_tensors(one), batch_tensors(other)
            without = [{name: v for name, v in part.items() if ".behavior" not in name} for part in (ones, others)]
            if digest(without[0]) != digest(without[1]):
                return "batches"
            behavior_differs |= digest(ones) != digest(others)
        if not behavior_differs:
            return "data"  # a rehearsal does not show it; the whole data may
        return "behaviour" if self._reads_behavior(after, first, second) else ""

    def _reads_behavior(self, config: Configuration, first: Dataset, second: Dataset) -> bool:
        if shapes(config.model, first.spec) != shapes(config.model, second.spec):
            return True
        return not self._behave_alike((config.model, first), (config.model, second))

    def _behave_alike(self, first: tuple[ModelConfig, Dataset], second: tuple[ModelConfig, Dataset]) -> bool:
        """Check by check, the cheapest first: most pairs are told apart before any gradient."""
        check = 0
        try:
            while (one := self._check(*first, check)) == self._check(*second, check):
                if one is None:
                    return True
                check += 1
            return False
        finally:
            self.running.pop(_key(*second), None)  # the first is the parent of others, too

    def _check(self, model: ModelConfig, data: Dataset, number: int) -> str | None:
        """One hash of what a model does, None after the last; kept, since most variants have the same parent."""
        key = _key(model, data)
        known = self.checks.setdefault(key, [])
        if len(known) <= number and key not in self.running:
            batch = next(data.train(seed=0, batch_size=1))
            self.running[key] = islice(behavior(model, data.spec, batch), len(known), None)
        while len(known) <= number:
            known.append(next(self.running[key], None))
        return known[number]

    def _open(self, config: DataOptions) -> Dataset:
        """A rehearsal's data on the CPU: small, and cached on disk by whoever makes it."""
        small = config.rehearsal()
        key = repr(small)  # its type and all of its fields
        if key not in self.datasets:
            self.datasets[key] = small.open(torch.device("cpu"))
        return self.datasets[key]


def training_differs(before: Configuration, after: Configuration) -> str:
    """The first thing that the loop does otherwise; empty if nothing."""
    first, second = effective_training(before.training), effective_training(after.training)
    return next((f"training: {name}" for name in first if first[name] != second[name]), "")


def effective_training(config: TrainingConfig) -> Json:
    """What the loop makes of its options: two configs with the same effect give the same."""
    effect: Json = config.model_dump(exclude={*config.bookkeeping, *SCHEDULE, "evaluate_every", "patience"})
    effect["learning rates"] = _learning_rates(config)
    scores = math.ceil(config.steps / config.evaluate_every)
    patience = config.patience if 0 < config.patience < scores else 0  # the first score is always a new best
    effect["patience"] = patience
    watched = config.select == "best" or patience
    effect["evaluate_every"] = min(config.evaluate_every, config.steps) if watched else None
    return effect


SCHEDULE = ("learning_rate", "warmup_steps", "schedule", "final_fraction")


@lru_cache(maxsize=256)
def _learning_rates(config: TrainingConfig) -> tuple[float, ...]:
    """The learning rate at the first steps, and at others spread over training."""
    stride = max(config.steps // SAMPLED_STEPS, 1)
    steps = {*range(min(config.steps, SAMPLED_STEPS)), *range(0, config.steps, stride), config.steps - 1}
    return tuple(learning_rate(step, config) for step in sorted(steps))


def _shown_by(small_before: BaseModel, small_after: BaseModel, before: BaseModel, after: BaseModel) -> bool:
    """Whether every option that differs still differs in the rehearsal: what a rehearsal sets itself it cannot
    probe."""
    if type(before) is not type(after):
        return False
    old, new, small_old, small_new = map(dict, (before, after, small_before, small_after))
    return all(small_old[name] != small_new[name] for name in old if old[name] != new[name])


def _batches(data: Dataset) -> Iterator[Batch]:
    stream = data.train(seed=0, batch_size=BATCH_SIZE)
    return (next(stream) for _ in range(BATCHES))


def _scored(data: Dataset) -> tuple[str, str]:
    return data.scored_hash("validation"), data.scored_hash("test")


def _key(model: ModelConfig, data: Dataset) -> str:
    return f"{model.model_dump_json()} {data.fingerprint}"


def _noop(variant: Variant, effect: Effect) -> Problem:
    last = variant.patches[-1]
    inside = f" in variant `{variant.name}`" if len(variant.patches) > 1 else ""
    what = (
        f"patch `{last}` changes nothing{inside}: parameters, FLOPs, loss and gradient stay the same, "
        f"so nothing reads {_listed(effect.unread)}"
    )
    hint = "set the option that switches it on in the same patch, or keep it as an A/A control by `allow_noop: true`"
    return Problem(what, variant.where, hint)


def _listed(paths: Sequence[str]) -> str:
    return ", ".join(f"`{path}`" for path in paths)


def _in_variant(problem: Problem, variant: Variant) -> Problem:
    name = variant.name if variant.role == "baseline" else f"variant `{variant.name}`"
    return Problem(f"{name}: {problem.what}", variant.where or problem.where, problem.hint)
