"""`ablate run`: trains what is missing, shows how far it is, ends with the ranked table."""

from pathlib import Path
from typing import TYPE_CHECKING

from ablate.cli.console import err, out, say
from ablate.errors import AblateError
from ablate.request import Request, request_hash
from ablate.result import Store, StudyManifest

if TYPE_CHECKING:
    from ablate.study.flow import StudyOutcome

FAILED = 1
INTERRUPTED = 130


def run_recipe(request: Request, *, plan_only: bool = False) -> int:
    """The exit code: 0 all runs done, 1 some failed, 130 stopped by a signal."""
    done = None if plan_only else finished_study(request)
    if done is not None:
        say(f"every run of this study is done; nothing was trained (results in {done.root})")
        show_table(done)
        return say_failures(done)

    from ablate.cli.progress import ProgressDisplay  # these load torch
    from ablate.cli.warnings import warn_of_cost
    from ablate.study.flow import run_study

    if plan_only:
        from ablate.cli.price import show_price

        return show_price(request)
    warn_of_cost(request)
    display = ProgressDisplay(err())
    with display:
        outcome = run_study(request, display)
    store = outcome.plan.store
    show_table(store)
    return say_outcome(outcome, request)


def finished_study(request: Request) -> Store | None:
    """The study of the same request in which every planned run is done: answered without loading torch."""
    if request.fresh or request.retry or not request.out.is_dir() or request.data is not None:
        return None
    wanted = request_hash(request)
    for folder in sorted(path for path in request.out.iterdir() if (path / "study.json").is_file()):
        store = Store(folder)
        try:
            manifest = store.manifest()
        except AblateError:
            continue
        if manifest.request == wanted and manifest.data_is_made and all_done(store, manifest):
            return store
    return None


def all_done(store: Store, manifest: StudyManifest) -> bool:
    """Whether every run of the plan has a final record."""
    states = {key: record.state for key, record in store.scan().records.items()}
    return all(
        states.get(key) in ("done", "failed", "diverged") for entry in manifest.variants for key in entry.keys.values()
    )


def show_table(store: Store) -> None:
    """The ranked table, on stdout."""
    from ablate.cli.report import analysis_of
    from ablate.report import live_table

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
