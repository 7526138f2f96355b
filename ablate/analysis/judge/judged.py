"""A table in, the analysis of it out: rows -> runs -> manifest and records -> `analyse`, the same as for our own runs.

A row is a run (variant, seed), or one of its units and sessions: a run's score is then the mean over units of each
session, then over sessions. A score that is missing or not finite is a run that diverged; a run that its own program
calls failed or running has no score whatever the table says.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ablate.analysis.judge.choice import Choice, Columns, choose, long
from ablate.analysis.judge.runs import Run, Seeds, gather_runs, number_seeds
from ablate.analysis.judge.table import Table, read_table, without_index
from ablate.analysis.outcome import Note, StudyAnalysis, VariantAnalysis
from ablate.analysis.study import analyse
from ablate.disk.read import Json
from ablate.errors import AblateError
from ablate.result.key import text_hash
from ablate.result.manifest import AnalysisRule, Role, StudyManifest, VariantEntry
from ablate.result.record import RunRecord, Score, SessionScore, Usage

if TYPE_CHECKING:
    from pandas import DataFrame

ROLES: tuple[Role, ...] = ("baseline", "variant", "reference", "control")


@dataclass(frozen=True)
class Judged:
    """said: how the table was read, and what in it is not as one would wish; also among the analysis's notes."""

    analysis: StudyAnalysis
    said: tuple[str, ...]


def judge_file(path: Path, choice: Choice | None = None) -> Judged:
    """The table in a file. Raises AblateError for what cannot be read, or could be read in two ways."""
    return _judged(read_table(path), choice or Choice(), name=path.stem)


def judge(frame: "DataFrame", **choice: Any) -> StudyAnalysis:  # fields of Choice, which has a type for each
    """A pandas frame with one run a row. choice: fields of `Choice` (`score="val/acc"`, `baseline="plain"`)."""
    header = tuple(str(name).strip() for name in frame.columns)
    if len(set(header)) < len(header):
        raise AblateError("two columns have the same name", where="frame", hint="give each column its own name")
    if not len(frame):
        raise AblateError("the frame has no row", where="frame")
    cells = [
        ["" if value is None or value != value else str(value).strip() for value in row]
        for row in frame.itertuples(index=False, name=None)
    ]
    table = Table("frame", header, tuple(map(tuple, cells)), tuple(range(1, len(cells) + 1)))
    return _judged(table, Choice(**choice), name="frame").analysis


def _judged(table: Table, choice: Choice, *, name: str) -> Judged:
    table = long(without_index(table, (choice.score, choice.variant, choice.seed)), choice)
    columns = choose(table, choice)
    runs = gather_runs(table, columns)
    seeds = number_seeds(runs)
    roles = _roles(runs, choice, table.where)
    manifest = _manifest(name, table, columns, choice, roles, seeds)
    records = [_record(run, seeds, columns) for run in runs]
    units = {_key(run.variant, run.seed): _units(run) for run in runs if columns.unit and run.score is not None}
    analysis = analyse(manifest, records, units=units.get if units else None)
    said = (*(f"{text[0].upper()}{text[1:]}." for text in table.said), columns.told(), *_shown(runs, roles, seeds))
    return Judged(_finished(analysis, said, columns), said)


# ------------------------------------------------------------------ who is what


def _roles(runs: Sequence[Run], choice: Choice, where: str) -> dict[str, Role]:
    """Role of each variant in the order of the table. Raises AblateError where no baseline, or no other, is named."""
    found: dict[str, Role] = {}
    for run in runs:
        role = run.role or "variant"
        if role not in ROLES:
            raise AblateError(f"role `{role}` is unknown", where=run.place, hint=f"one of {', '.join(ROLES)}")
        if found.setdefault(run.variant, role) != role:
            raise AblateError(f"`{run.variant}` is {found[run.variant]} above and {role} here", where=run.place)
    base = _baseline(found, choice, where)
    for name, role in found.items():
        if role == "baseline" and name != base:
            found[name] = "variant"
    found[base] = "baseline"
    if len(found) < 2:
        raise AblateError(f"`{base}` is the only variant", where=where, hint="a comparison needs two")
    unknown = [name for name in choice.expect if name not in found]
    if unknown:
        raise AblateError(f"--expect {unknown[0]}: no variant has that name", where=where, hint=_names(found))
    return found


def _baseline(roles: Mapping[str, Role], choice: Choice, where: str) -> str:
    if choice.baseline is not None:
        if choice.baseline in roles:
            return choice.baseline
        near = get_close_matches(choice.baseline, roles, n=1)
        hint = f"did you mean `{near[0]}`?" if near else _names(roles)
        raise AblateError(f"--baseline {choice.baseline}: no variant has that name", where=where, hint=hint)
    called = [name for name, role in roles.items() if role == "baseline"] or [
        name for name in roles if name.casefold() == "baseline"
    ]
    if len(called) == 1:
        return called[0]
    what = "several baselines are named" if called else "no baseline is named"
    raise AblateError(what, where=where, hint=f"say which variant it is with --baseline NAME; {_names(roles)}")


def _names(roles: Mapping[str, Role]) -> str:
    names = list(roles)
    more = f" and {len(names) - 12} more" if len(names) > 12 else ""
    return f"the table has {', '.join(names[:12])}{more}"


# ------------------------------------------------------------------ manifest and records


def _manifest(
    name: str, table: Table, columns: Columns, choice: Choice, roles: Mapping[str, Role], seeds: Seeds
) -> StudyManifest:
    base = next(variant for variant, role in roles.items() if role == "baseline")
    numbers = tuple(sorted(seeds.numbers.values()))
    worth = AnalysisRule().worth if choice.worth is None else choice.worth
    rule = AnalysisRule(variance=choice.variance, worth=worth)
    return StudyManifest(
        name=name,
        question=f"Which variant in {Path(table.where).name} is better than {base}?",
        data_description=f"{len(table.rows)} rows of {Path(table.where).name}",
        metric=columns.metric,
        lower_is_better=columns.lower,
        seeds=numbers,
        variants=tuple(
            VariantEntry(
                name=variant,
                role=role,
                expect=choice.expect.get(variant),
                keys={number: _key(variant, seed) for seed, number in seeds.numbers.items()},
            )
            for variant, role in roles.items()
        ),
        analysis=rule,
    )


def _key(variant: str, seed: str) -> str:
    return text_hash(f"{variant}\n{seed}")


def _record(run: Run, seeds: Seeds, columns: Columns) -> RunRecord:
    test = None if run.score is None else _score(run, columns.metric)
    usage = None
    if run.cost is not None:
        usage = Usage(seconds=run.cost, steps=0, best_step=0, step_milliseconds=0.0, peak_memory_bytes=0)
    return RunRecord(
        key=_key(run.variant, run.seed),
        study="",
        variant=run.variant,
        seed=seeds.numbers[run.seed],
        state=run.state,
        reason=run.reason,
        config={},
        test=test,
        usage=usage,
    )


def _score(run: Run, metric: str) -> Score:
    assert run.score is not None
    means = run.session_means
    return Score(
        metric=metric,
        headline=run.score,
        weighted=run.score,
        pooled=run.score,
        sessions=tuple(
            SessionScore(name=name, entries=len(values), excluded=0, mean=means[name], pooled=means[name], weight=1.0)
            for name, values in run.sessions.items()
            if name
        ),
        scored_hash=text_hash("\n".join(f"{name}\t{unit}" for name, held in run.sessions.items() for unit in held)),
    )


def _units(run: Run) -> Json:
    """As `units.json` holds them."""
    return {
        "sessions": [
            {"name": name or "all", "entry": list(range(len(held))), "value": [held[unit] for unit in sorted(held)]}
            for name, held in run.sessions.items()
        ]
    }


# ------------------------------------------------------------------ what is said


def _shown(runs: Sequence[Run], roles: Mapping[str, Role], seeds: Seeds) -> list[str]:
    """Text seeds, and seeds that have no partner."""
    said = list(seeds.said)
    held: dict[str, set[str]] = {}
    for run in runs:
        held.setdefault(run.variant, set()).add(run.seed)
    base = next(name for name, role in roles.items() if role == "baseline")
    for name, own in held.items():
        alone, lacking = sorted(own - held[base]), sorted(held[base] - own)
        if name != base and alone:
            said.append(f"{name}: {_seeds(alone)} left out, for {base} has no such seed.")
        if lacking:
            said.append(f"{name} has no {_seeds(lacking)}: compared over the others.")
    return said


def _seeds(names: Sequence[str]) -> str:
    more = f" and {len(names) - 8} more" if len(names) > 8 else ""
    return f"seed{'s' if len(names) > 1 else ''} {', '.join(names[:8])}{more}"


def _finished(analysis: StudyAnalysis, said: Sequence[str], columns: Columns) -> StudyAnalysis:
    """With how it was read, and next steps that do not speak of a recipe."""
    steps = []
    if any(row.verdict == "no evidence" and row.role == "variant" for row in analysis.rows):
        steps.append(
            "For what is without evidence, run further seeds of the baseline and of all variants: adding seeds to the "
            "promising ones alone makes false verdicts more frequent."
        )
    if analysis.winner is not None:
        steps.append(
            f"Run {analysis.winner} and {analysis.baseline_name} once more on seeds that nobody has seen: the gain "
            "of a chosen row is optimistic."
        )
    notes = (*analysis.notes, *(Note("info", text) for text in said))
    rows = tuple(_measured(row, columns) for row in analysis.rows)
    return replace(analysis, rows=rows, notes=notes, next_steps=tuple(steps))


def _measured(row: VariantAnalysis, columns: Columns) -> VariantAnalysis:
    """Without what no table holds; scores of single units are drawn as if higher were better, so a loss has none."""
    cost = replace(row.cost, step_milliseconds=None, peak_memory_bytes=None, memory_ratio=None)
    return replace(row, cost=cost, units=() if columns.lower else row.units)
