"""A study's manifest and its run records in, a `StudyAnalysis` out: the flow of the analysis on one page.

records -> cells (variant x seed) -> gains paired by seed -> p values of the family -> verdicts -> ranking -> sentences

A pure function of what it is given: the same records in any order give the same analysis.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from ablate.analysis.apart.confirmation import with_confirmations
from ablate.analysis.apart.retuning import with_retuning
from ablate.analysis.beside.attribution import attribute
from ablate.analysis.beside.efficiency import efficiency_curves
from ablate.analysis.beside.measured import measured
from ablate.analysis.beside.repeats import RepeatsAside, repeats_of
from ablate.analysis.beside.said import said_of
from ablate.analysis.cells import Cell, Cells, common_hash, gather
from ablate.analysis.guard import guards_of
from ablate.analysis.headline import answer, next_steps
from ablate.analysis.notes import notes
from ablate.analysis.outcome import Attribution, Gain, Settling, StudyAnalysis, VariantAnalysis
from ablate.analysis.row.files import HistoryLoader, UnitsLoader
from ablate.analysis.row.gains import adjusted, paired_gains, rows_prior, smallest_gain
from ablate.analysis.row.make import make_row
from ablate.analysis.row.reference import gap_of, target_of
from ablate.analysis.row.scale import at_chance, under_the_ceiling
from ablate.analysis.row.units import Breakdown, breakdowns, with_other_intervals
from ablate.analysis.row.verdict import rank, winner
from ablate.analysis.statistics.gain import estimate
from ablate.analysis.stopping.settle import at_their_looks, counted_gains, planned_seeds, settle
from ablate.analysis.words import plural, unit_of
from ablate.result.manifest import StudyManifest
from ablate.result.provenance import commits
from ablate.result.record import RunRecord


def analyse(
    manifest: StudyManifest,
    records: Iterable[RunRecord],
    *,
    units: UnitsLoader | None = None,
    scores: UnitsLoader | None = None,
    history: HistoryLoader | None = None,
) -> StudyAnalysis:
    """Everything that a report shows. Raises AblateError when the manifest has no baseline.

    Without `units` the second interval and the per-unit breakdown are None and empty; without `history` so are the
    curves. scores: a loader of what `units` holds of scores, where there is a faster one.
    """
    records = tuple(records)
    whole = gather(manifest, records)
    state = None if manifest.schedule is None else settle(whole, manifest.schedule, manifest.analysis)
    cells = whole if state is None else at_their_looks(whole, state)
    baseline = cells.baseline
    rule = manifest.analysis
    target = target_of(cells)
    aside = None if units is None else RepeatsAside(units, scores or units)
    parts, ranges = breakdowns(cells, aside)
    chance = at_chance(baseline, ranges)
    relative = not chance and not under_the_ceiling(baseline)

    prior = rows_prior(cells, rule)
    found = paired_gains(cells, prior, relative=relative)
    found = found if state is None else counted_gains(cells, state, found, relative=relative)
    found, family = adjusted(cells, found, prior, rule.worth)
    found = with_other_intervals(found, parts, relative=relative)

    plan = manifest.cross_validation
    pairs = len(manifest.seeds) if plan is None else len(plan.names)
    planned = planned_seeds(cells, state, pairs)
    rows = _rows(cells, target, found, parts, history, planned=planned, worth=rule.worth)
    rows = with_confirmations(rows, manifest, records, prior, relative=relative)
    rows = with_retuning(rows, manifest, records, prior, relative)
    combined = attribute(cells.cells, baseline, target, manifest.ladders, relative=relative, prior=prior)
    looks = None if manifest.schedule is None else manifest.schedule.looks
    detectable, basis = smallest_gain(cells, found, pairs, rule, prior, looks=looks)
    base_score = estimate(list(baseline.scores.values()))
    analysis = replace(
        _assembled(manifest, whole, state),
        rows=rows,
        target=None if target is None else target.entry.name,
        family=family,
        baseline_at_chance=chance,
        detectable=detectable,
        detectable_relative=None
        if detectable is None or not relative or base_score is None or base_score.mean <= 0
        else detectable / base_score.mean,
        detectable_basis=basis,
        attribution=combined,
        efficiency=efficiency_curves(cells.cells, relative=relative),
        measured=measured(cells),
        repeats=repeats_of(cells, aside),
        said=said_of(cells, units),
    )
    return _with_notes(_guarded(analysis, cells, manifest, relative=relative), cells)


def _rows(
    cells: Cells,
    target: Cell | None,
    found: Sequence[Gain | None],
    parts: Sequence[Breakdown],
    history: HistoryLoader | None,
    *,
    planned: Mapping[str, int],
    worth: float,
) -> tuple[VariantAnalysis, ...]:
    """The rows of the table, ranked."""
    baseline = cells.baseline
    made = [
        make_row(
            cell,
            baseline,
            gain=gain,
            gap=gap_of(cell, baseline, target),
            breakdown=part,
            history=history,
            planned=planned[cell.entry.name],
            worth=worth,
        )
        for cell, gain, part in zip(cells.cells, found, parts, strict=True)
    ]
    return tuple(replace(made[index], rank=position) for position, index in rank(made))


def _assembled(manifest: StudyManifest, cells: Cells, state: Settling | None) -> StudyAnalysis:
    """What the manifest and the runs say by themselves; nothing is compared yet."""
    first = next(iter(cells.baseline.scored.values()), None)
    folds = 1 if manifest.cross_validation is None else len(manifest.cross_validation.names)
    done, failed = sum(len(cell.scored) for cell in cells.cells), sum(cell.barred for cell in cells.cells)
    return StudyAnalysis(
        name=manifest.name,
        question=manifest.question,
        expectation=manifest.expectation,
        metric=manifest.metric,
        unit=unit_of(manifest.metric),
        rehearsal=manifest.rehearsal or any(run.rehearsal for cell in cells.cells for run in cell.records.values()),
        data_description=manifest.data_description,
        seeds=manifest.seeds,
        cross_validation=manifest.cross_validation,
        rows=(),
        baseline_name=cells.baseline.entry.name,
        target=None,
        winner=None,
        headline="",
        answer="",
        next_steps=(),
        notes=(),
        guards=(),
        failures=cells.failures,
        family=(),
        rule=manifest.analysis,
        attainable=None if first is None else first.attainable,
        attainable_accuracy=None if first is None else first.attainable_accuracy,
        floor=None if first is None else first.floor,
        baseline_at_chance=False,
        detectable=None,
        detectable_relative=None,
        detectable_basis="",
        runs_planned=len(cells.cells) * len(manifest.seeds) * folds
        if state is None
        else done + failed + state.runs_to_buy,
        runs_done=done * folds,
        runs_failed=failed * folds,
        attribution=Attribution(),
        efficiency=(),
        expectations_hash=manifest.expectations_hash,
        expectation_changes=manifest.expectation_changes,
        recipe_path=manifest.recipe_path,
        recipe_text=manifest.recipe_text,
        data_fingerprint=manifest.data_fingerprint,
        scored_hash=common_hash(cells.baseline),
        environment=tuple(_flat(manifest.environment)),
        settling=state,
        overrides=manifest.overrides,
    )


def _guarded(analysis: StudyAnalysis, cells: Cells, manifest: StudyManifest, *, relative: bool) -> StudyAnalysis:
    """Adds the guards, and what they say of verdicts and winner."""
    guards = guards_of(analysis, cells, relative=relative, looked_at=manifest.looked_at)
    climbing = {guard.row for guard in guards if guard.kind == "still learning"}
    stopped = climbing | ({row.name for row in analysis.rows} if analysis.baseline_name in climbing else set())
    rows = tuple(
        replace(row, early=True, verdict_note=", ".join(part for part in ("early", row.verdict_note) if part))
        if row.name in stopped and row.verdict in ("helps", "hurts", "negligible")
        else row
        for row in analysis.rows
    )
    barred = analysis.baseline_at_chance or any(guard.kind == "control moved" for guard in guards)
    return replace(analysis, guards=guards, rows=rows, winner=winner(rows, barred=barred))


def _with_notes(analysis: StudyAnalysis, cells: Cells) -> StudyAnalysis:
    """Adds the sentences, which are made of everything else."""
    said = answer(analysis)
    mixed = len({score.scored_hash for score in cells.baseline.scored.values()}) > 1
    versions = commits(record for cell in cells.cells for record in cell.records.values())
    lines = notes(analysis, mixed=mixed, outside=cells.outside, commits=versions)
    question = " ".join(analysis.question.split())
    code = ", ".join(f"{commit}: {plural(runs, 'run')}" for commit, runs in versions.items())
    planned = (pair for pair in analysis.environment if not pair[0].startswith("git."))  # runs may be of other code
    return replace(
        analysis,
        answer=said,
        headline=f"{question} {said}".strip(),
        notes=lines,
        next_steps=next_steps(analysis),
        environment=(*planned, *([("code of the runs", code)] if code else [])),
    )


def _flat(values: Mapping[str, object], head: str = "") -> Iterable[tuple[str, str]]:
    """Nested mapping -> (dotted name, text), sorted."""
    for name, value in sorted(values.items()):
        if isinstance(value, Mapping):
            yield from _flat(value, f"{head}{name}.")
        else:
            yield f"{head}{name}", ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)
