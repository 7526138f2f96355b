"""Two studies side by side: the same variants, what differs between the studies, which gains and verdicts changed."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from ablate.analysis.outcome import GainChange, StudyAnalysis, VariantAnalysis
from ablate.analysis.statistics.change import gain_change


@dataclass(frozen=True)
class Side:
    """One of the two. baseline: resolved configuration of its baseline, from a run's record; empty where there is
    none."""

    analysis: StudyAnalysis
    baseline: Mapping[str, object]
    environment: Mapping[str, object]


@dataclass(frozen=True)
class Difference:
    """A value that is not the same in the two; None where it is absent."""

    path: str
    first: str | None
    second: str | None


@dataclass(frozen=True)
class Shared:
    """A variant that both studies have. differences: of what it changes against its own baseline."""

    name: str
    first: VariantAnalysis
    second: VariantAnalysis
    change: GainChange | None
    differences: tuple[Difference, ...]

    @property
    def verdict_changed(self) -> bool:
        return self.first.verdict != self.second.verdict


@dataclass(frozen=True)
class Comparison:
    """Everything that `ablate compare` prints. notes: why the scores may not be comparable."""

    first: StudyAnalysis
    second: StudyAnalysis
    shared: tuple[Shared, ...]
    only_first: tuple[str, ...]
    only_second: tuple[str, ...]
    configuration: tuple[Difference, ...]
    data: tuple[Difference, ...]
    environment: tuple[Difference, ...]
    notes: tuple[str, ...]


def compare(first: Side, second: Side) -> Comparison:
    """Variants are matched by name or alias, baselines with one another, in the order of the first study's table."""
    one, two = first.analysis, second.analysis
    pairs = _pairs(one, two)
    matched = {row.name for _, row in pairs}
    configuration = differences(first.baseline, second.baseline)
    return Comparison(
        first=one,
        second=two,
        shared=tuple(_shared(left, right) for left, right in pairs),
        only_first=tuple(row.name for row in one.rows if row.name not in {left.name for left, _ in pairs}),
        only_second=tuple(row.name for row in two.rows if row.name not in matched),
        configuration=tuple(found for found in configuration if not found.path.startswith("data.")),
        data=(*(found for found in configuration if found.path.startswith("data.")), *_data(one, two)),
        environment=differences(first.environment, second.environment),
        notes=tuple(_notes(one, two)),
    )


def _pairs(one: StudyAnalysis, two: StudyAnalysis) -> list[tuple[VariantAnalysis, VariantAnalysis]]:
    found = []
    taken: set[str] = set()
    for row in one.rows:
        names = {row.name, *row.aliases}
        wanted = (two.baseline,) if row.role == "baseline" else two.rows
        match = next(
            (
                other
                for other in wanted
                if other.name not in taken
                and (row.role == "baseline") == (other.role == "baseline")
                and (row.role == "baseline" or names & {other.name, *other.aliases})
            ),
            None,
        )
        if match is not None:
            taken.add(match.name)
            found.append((row, match))
    return found


def _shared(first: VariantAnalysis, second: VariantAnalysis) -> Shared:
    own = {path: after for path, _, after in first.differences}
    other = {path: after for path, _, after in second.differences}
    return Shared(first.name, first, second, gain_change(first.gain, second.gain), differences(own, other))


# ------------------------------------------------------------------ what differs


def differences(first: Mapping[str, object], second: Mapping[str, object]) -> tuple[Difference, ...]:
    """Leaves that are not the same, by their path: `training.steps`."""
    one, two = flat(first), flat(second)
    paths = dict.fromkeys((*one, *two))
    return tuple(Difference(path, one.get(path), two.get(path)) for path in paths if one.get(path) != two.get(path))


def flat(value: Mapping[str, object], above: str = "") -> dict[str, str]:
    """Key path -> the value as text; lists are values."""
    found: dict[str, str] = {}
    for key, held in value.items():
        path = f"{above}{key}"
        if isinstance(held, Mapping):
            found.update(flat(held, f"{path}."))
        else:
            found[path] = held if isinstance(held, str) else json.dumps(held, default=str)
    return found


def _data(one: StudyAnalysis, two: StudyAnalysis) -> tuple[Difference, ...]:
    """What the manifests say of the data beyond its configuration."""
    told = (
        ("data description", one.data_description, two.data_description),
        ("data fingerprint", one.data_fingerprint, two.data_fingerprint),
        ("scored hash", one.scored_hash, two.scored_hash),
    )
    return tuple(Difference(name, first or None, second or None) for name, first, second in told if first != second)


def _notes(one: StudyAnalysis, two: StudyAnalysis) -> list[str]:
    found = []
    if one.metric != two.metric:
        found.append(f"The studies are scored in other units ({one.unit}, {two.unit}): only verdicts can be compared.")
    elif one.scored_hash != two.scored_hash:
        found.append("The studies are scored on other bins: compare gains and verdicts, not scores.")
    for study in (one, two):
        if study.rehearsal:
            found.append(f"{study.name} is a rehearsal: its numbers are not results.")
        if study.runs_done + study.runs_failed < study.runs_planned:
            found.append(f"{study.name} is not finished: {study.runs_done} of {study.runs_planned} runs.")
    if one.expectations_hash != two.expectations_hash:
        found.append("The studies were begun with other expectations.")
    return found
