"""How a study ended: its table, what failed, and the command that goes on with it."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ablate.cli.console import say
from ablate.cli.screen.ranking import print_report
from ablate.cli.studies import analysis_of
from ablate.request import Request
from ablate.result import RunRecord, Store

if TYPE_CHECKING:
    from ablate.study.flow import StudyEnd

FAILED = 1
INTERRUPTED = 130


def show_table(store: Store, records: Sequence[RunRecord] | None = None, *, details: bool = False) -> None:
    """The ranked table, on stdout; `--only` may have left out what the variants are compared with."""
    manifest = store.manifest()
    if not any(entry.role == "baseline" for entry in manifest.variants):
        say("no table yet: `--only` left the baseline out, and gains are measured against it")
        return
    analysis = analysis_of(store, records)  # whole: the guards need curves and units
    print_report(analysis, "table", store, details=details)


def say_end(end: "StudyEnd", request: Request) -> int:
    """The last lines of a run: what was trained, what failed and how to try it again."""
    study = end.study
    command = retry_command(request)
    trained = f"{end.trained} runs trained, {end.kept} kept from before"
    say(f"{trained}; results in {study.store.root}")
    if end.beyond is not None and end.beyond.to_come is not None:
        look, runs = end.beyond.to_come.here, end.beyond.runs_to_buy
        still = f"open: {', '.join(end.beyond.open)}"
        say(f"the budget ({request.budget}) does not cover the look at {look} seeds, {runs} runs; {still}")
    if end.unconfirmed:
        say(f"--confirm: {end.unconfirmed}")
    for job in end.elsewhere:
        say(f"trained by another process meanwhile: {job.label}")
    for job, failure in end.failures:
        say(f"failed: {job.label}: {failure.reason}")
        say(f"  log: {Path(study.store.root) / 'runs' / job.key / 'log.txt'}")
    if end.failures:
        say(f"try these again: {command} --retry all")
    if end.interrupted:
        say(f"stopped; nothing that was done is lost. Go on: {command}")
        return INTERRUPTED
    return FAILED if end.failures else 0


def say_failures(store: Store, records: Sequence[RunRecord], request: Request) -> int:
    """The failures of a study that is otherwise finished."""
    keys = store.manifest().run_keys
    failed = [record for record in records if record.key in keys and record.state in ("failed", "diverged")]
    for record in failed:
        say(f"{record.state}: {record.variant} seed {record.seed}: {record.reason}")
    if failed:
        say(f"try these again: {retry_command(request)} --retry all")
    return FAILED if failed else 0


def retry_command(request: Request) -> str:
    """The command that goes on with this study, quoted for a shell."""
    options = {
        "--seeds": request.seeds,
        "--until": request.until,
        "--budget": request.budget,
        "--worth": request.worth,
        "--retune": None if request.retune == "ahead" else request.retune,
        "--confirm": request.confirm,
        "--confirm-rows": None if request.confirm_rows == "winner" else request.confirm_rows,
        "--variants": request.variants,
        "--only": request.only,
        "--out": None if request.out == Path("results") else request.out,
        "--device": None if request.device == "auto" else request.device,
        "--workers": request.workers,
        "--threads": request.threads,
        "--run-timeout": None if request.run_timeout is None else f"{request.run_timeout:g}",
    }
    words = ["ablate", "run", str(request.recipe)]
    words += [word for one in request.sets for word in ("--set", one)]
    words += [word for one in request.data for word in ("--data", str(one))]
    words += [word for name, value in options.items() if value is not None for word in (name, str(value))]
    words += [f"--{name}" for name in ("quick", "inline") if getattr(request, name)]
    words += ["--allow-noop"] if request.allow_noop else []
    return shlex.join(words)
