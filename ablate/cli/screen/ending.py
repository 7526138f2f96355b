"""How a study ended: its table, what failed, and the command that goes on with it."""

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ablate.analysis.words import plural
from ablate.cli.console import say
from ablate.cli.screen.ranking import print_report
from ablate.cli.studies import analysis_of
from ablate.disk.read import Json
from ablate.report import compose
from ablate.report.writer.table_data import report_record
from ablate.request import Request
from ablate.result import RunRecord, Store
from ablate.result.planned import planned_runs

if TYPE_CHECKING:
    from ablate.study.running.end import StudyEnd
    from ablate.study.running.job import RunJob

FAILED = 1
INTERRUPTED = 130


@dataclass(frozen=True)
class Failure:
    """A run that gave no score. reason: in one sentence. log: the file with its last lines."""

    variant: str
    seed: int
    key: str
    state: str
    reason: str
    log: str


@dataclass(frozen=True)
class Ending:
    """How a study ended, for whoever asks. command: the one that goes on with it. notes: whole sentences."""

    store: Store
    command: str
    trained: int
    kept: int
    failures: tuple[Failure, ...]
    interrupted: bool = False
    left: int = 0
    """Runs that go on without us."""
    notes: tuple[str, ...] = ()
    records: tuple[RunRecord, ...] | None = None
    """Those of the folder, where they were read already."""

    @property
    def exit_code(self) -> int:
        if self.interrupted:
            return INTERRUPTED
        return FAILED if self.failures else 0

    @property
    def state(self) -> str:
        """done, failed (some runs gave no score) or interrupted."""
        if self.interrupted:
            return "interrupted"
        return "failed" if self.failures else "done"

    @property
    def next_commands(self) -> tuple[str, ...]:
        """What goes on from here."""
        again = (f"{self.command} --retry all",) if self.failures else ()
        return (*again, *((self.command,) if self.interrupted else ()))


def ending_of(end: "StudyEnd", request: Request) -> Ending:
    """That of a study that was run just now."""
    store = end.study.store
    return Ending(
        store=store,
        command=retry_command(request),
        trained=end.trained,
        kept=end.kept,
        failures=tuple(
            _failure(store, job, end.states.get(job.key, "failed"), outcome.reason) for job, outcome in end.failures
        ),
        interrupted=end.interrupted,
        left=len(end.left),
        notes=tuple(_notes(end, request)),
    )


def finished_ending(store: Store, records: Sequence[RunRecord], request: Request) -> Ending:
    """That of a study all of whose runs were there."""
    keys = store.manifest().run_keys
    named = [record for record in records if record.key in keys]
    failures = tuple(
        _failure(store, record, record.state, record.reason)
        for record in named
        if record.state in ("failed", "diverged")
    )
    note = f"every run of this study is done; nothing was trained (results in {store.root})"
    command = retry_command(request)
    return Ending(store, command, trained=0, kept=len(named), failures=failures, notes=(note,), records=tuple(records))


def _failure(store: Store, run: "RunJob | RunRecord", state: str, reason: str) -> Failure:
    return Failure(run.variant, run.seed, run.key, state, reason, str(store.folder(run.key) / "log.txt"))


def _notes(end: "StudyEnd", request: Request) -> Iterator[str]:
    """What should be known of this end."""
    yield f"{plural(end.trained, 'run')} trained, {end.kept} kept from before; results in {end.study.store.root}"
    if end.beyond is not None and end.beyond.to_come is not None:
        look, runs = end.beyond.to_come.here, end.beyond.runs_to_buy
        still = f"; open: {', '.join(end.beyond.open)}" if end.beyond.open else ""  # nothing is before the first look
        yield f"the budget ({request.budget}) does not cover the look at {look} seeds, {plural(runs, 'run')}{still}"
    if end.unconfirmed:
        yield f"--confirm: {end.unconfirmed}"
    for job in end.elsewhere:
        yield f"trained by another process meanwhile: {job.label}"


def show_table(store: Store, records: Sequence[RunRecord] | None = None, *, details: bool = False) -> None:
    """The ranked table, on stdout; `--only` may have left out what the variants are compared with."""
    if not has_baseline(store):
        say("no table yet: `--only` left the baseline out, and gains are measured against it")
        return
    analysis = analysis_of(store, records)  # whole: the guards need curves and units
    print_report(analysis, "table", store, details=details)


def say_end(ending: Ending) -> None:
    """The last lines of a run: what was trained, what failed and the commands that go on from here."""
    for note in ending.notes:
        say(note)
    for failure in ending.failures:
        say(f"{failure.state}: {failure.variant} seed {failure.seed}: {failure.reason}")
        say(f"  log: {failure.log}")
    if ending.failures:
        say(f"try these again: {ending.command} --retry all")
    if ending.left:
        where = shlex.quote(str(ending.store.root))
        runs = "1 run goes on" if ending.left == 1 else f"{ending.left} runs go on"
        say(f"{runs} without this command. How far: ablate status {where}; cancel: ablate stop {where}")
        say(f"take up again: {ending.command}")
    elif ending.interrupted:
        say(f"stopped; nothing that was done is lost. Go on: {ending.command}")


def has_baseline(store: Store) -> bool:
    """Whether there is something to measure gains against."""
    return any(entry.role == "baseline" for entry in store.manifest().variants)


def retry_command(request: Request) -> str:
    """The command that goes on with this study, quoted for a shell."""
    options = {
        "--seeds": request.seeds,
        "--until": request.until,
        "--budget": request.budget,
        "--worth": request.worth,
        "--ahead": request.ahead or None,
        "--retune": None if request.retune == "ahead" else request.retune,
        "--confirm": request.confirm,
        "--confirm-rows": None if request.confirm_rows == "winner" else request.confirm_rows,
        "--variants": request.variants,
        "--only": request.only,
        "--out": None if request.out == Path("results") else request.out,
        "--device": None if request.device == "auto" else request.device,
        "--workers": request.workers,
        "--threads": request.threads,
        "--engine": request.engine,
        "--run-timeout": None if request.run_timeout is None else f"{request.run_timeout:g}",
    }
    words = ["ablate", "run", str(request.recipe)]
    words += [word for one in request.sets for word in ("--set", one)]
    words += [word for one in request.data for word in ("--data", str(one))]
    words += [word for name, value in options.items() if value is not None for word in (name, str(value))]
    flags = {"--quick": request.quick, "--inline": request.inline, "--allow-noop": request.allow_noop}
    words += [name for name, given in flags.items() if given]
    return shlex.join(words)


def ending_record(ending: Ending) -> Json:
    """How `ablate run` ended: state, study, results, trained, kept, left, notes, next_commands, failures, runs, report.

    report: as `ablate report --format json` gives it; None where `--only` left the baseline out.
    """
    store = ending.store
    records = store.records() if ending.records is None else ending.records
    report = report_record(compose(analysis_of(store, records), store)) if has_baseline(store) else None
    return {
        "state": ending.state,
        "study": store.root.name,
        "results": str(store.root),
        "trained": ending.trained,
        "kept": ending.kept,
        "left": ending.left,
        "notes": list(ending.notes),
        "next_commands": list(ending.next_commands),
        "failures": [asdict(failure) for failure in ending.failures],
        "runs": list(_runs(store, records)),
        "report": report,
    }


def _runs(store: Store, records: Sequence[RunRecord]) -> Iterator[Json]:
    """Every run that the manifest plans, once; one without a record is still `to do`."""
    ended = {record.key: record for record in records}
    for run in planned_runs(store.manifest()):
        record = ended.get(run.key)
        yield {
            "variant": run.variant,
            "stage": run.stage,
            "seed": run.seed,
            "key": run.key,
            "state": record.state if record else "to do",
            "reason": record.reason if record else "",
            "score": record.test.headline if record and record.test else None,
            "seconds": record.usage.seconds if record and record.usage else None,
        }
