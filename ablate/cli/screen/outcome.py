"""How a study ended: its table, what failed, and the command that goes on with it."""

from pathlib import Path
from typing import TYPE_CHECKING

from ablate.cli.console import out, say
from ablate.cli.studies import analysis_of
from ablate.report import live_table
from ablate.request import Request
from ablate.result import Store

if TYPE_CHECKING:
    from ablate.study.flow import StudyOutcome

FAILED = 1
INTERRUPTED = 130


def show_table(store: Store) -> None:
    """The ranked table, on stdout."""
    out().print(live_table(analysis_of(store)))


def say_outcome(outcome: "StudyOutcome", request: Request) -> int:
    """The last lines of a run: what was trained, what failed and how to try it again."""
    plan = outcome.plan
    command = retry_command(request)
    trained = f"{outcome.trained} runs trained, {outcome.kept} kept from before"
    say(f"{trained}; results in {plan.store.root}, `ablate report {plan.store.root}` prints this table again")
    for job in outcome.elsewhere:
        say(f"trained by another process meanwhile: {job.label}")
    for job, failure in outcome.failures:
        say(f"failed: {job.label}: {failure.reason}")
        say(f"  log: {Path(plan.store.root) / 'runs' / job.key / 'log.txt'}")
    if outcome.failures:
        say(f"try these again: {command} --retry all")
    if outcome.interrupted:
        say(f"stopped; nothing that was done is lost. Go on: {command}")
        return INTERRUPTED
    return FAILED if outcome.failures else 0


def say_failures(store: Store) -> int:
    """The failures of a study that is otherwise finished."""
    manifest = store.manifest()
    keys = {key for entry in manifest.variants for key in entry.keys.values()}
    failed = [r for key, r in store.scan().records.items() if key in keys and r.state in ("failed", "diverged")]
    for record in failed:
        say(f"{record.state}: {record.variant} seed {record.seed}: {record.reason}")
    if failed:
        say("try these again: the same command with --retry all")
    return FAILED if failed else 0


def retry_command(request: Request) -> str:
    """The command that goes on with this study."""
    words = ["ablate run", str(request.recipe)]
    words += [f"--set '{one}'" for one in request.sets]
    words += [f"--seeds {request.seeds}"] if request.seeds else []
    words += [f"--variants {request.variants}"] if request.variants else []
    words += [f"--only {request.only}"] if request.only else []
    words += [f"--data {request.data}"] if request.data else []
    words += [f"--out {request.out}"] if request.out != Path("results") else []
    words += [f"--device {request.device}"] if request.device != "auto" else []
    words += ["--quick"] if request.quick else []
    return " ".join(words)
