"""Where the runs of a study stand: a table, a line for each change, or one JSON document."""

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime
from time import sleep
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from ablate.analysis.words import duration, plural
from ablate.cli.console import out, say
from ablate.cli.screen.document import print_document
from ablate.disk.read import Json
from ablate.study.status import StudyStatus, status_of

if TYPE_CHECKING:
    from ablate.result import Store
    from ablate.study.status import RunStatus

NO_SCORE, TO_COME = 1, 3
MOST_ROWS = 40
"""A study with more runs is shown by those that run or failed; JSON has all."""


def print_status(stores: "Sequence[Store]", format: str) -> int:
    """Once. Gives the exit code."""
    found = [status_of(store) for store in stores]
    code = max(map(code_of, found))
    if format == "json":
        print_document({"studies": list(map(record_of, found))}, exit_code=code)
        return code
    for status in found:
        print_table(status)
    return code


def watch_status(stores: "Sequence[Store]", every: float, format: str) -> int:
    """The table now, a line for each run that changes, and the table again when every run has ended."""
    before: dict[str, RunStatus] = {}
    first = True
    while True:
        found = [status_of(store) for store in stores]
        if first and format != "json":
            for status in found:
                print_table(status)
        for status in found:
            before = _told(status, before, silent=first)
        if all(status.settled for status in found):
            return print_status(stores, format) if format == "json" or not first else max(map(code_of, found))
        first = False
        sleep(every)


def code_of(status: StudyStatus) -> int:
    if not status.settled:
        return TO_COME
    return NO_SCORE if any(run.state in ("failed", "diverged") for run in status.runs) else 0


def record_of(status: StudyStatus) -> Json:
    """A study: name, settled, counts, cpu_hours, gpu_hours, silent, runs."""
    return {
        "study": status.name,
        "settled": status.settled,
        "counts": status.counts,
        "cpu_hours": status.cpu_hours,
        "gpu_hours": status.gpu_hours,
        "silent": list(status.silent),
        "runs": [asdict(run) for run in status.runs],
    }


def print_table(status: StudyStatus) -> None:
    """The counts, the cost, and a row a run; of a large study those alone that run or gave no score."""
    rows = status.runs
    if len(rows) > MOST_ROWS:
        rows = tuple(run for run in rows if run.state in ("running", "failed", "diverged"))[:MOST_ROWS]
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("run", "state", "step", "where", "since", ""):
        table.add_column(name, justify="right" if name == "step" else "left")
    for run in rows:
        table.add_row(*map(Text, cells(run)))
    console = out()
    console.print(headline(status), markup=False)
    if rows:
        console.print(table)
    for words in status.silent:
        say(f"not asked: {words}")


def headline(status: StudyStatus) -> str:
    """`tiny: 6 runs: 1 running, 5 done; 0.02 CPU hours so far`."""
    states = ", ".join(f"{number} {state}" for state, number in status.counts.items())
    hours = f"{status.cpu_hours:.2f} CPU hours" + (f", {status.gpu_hours:.2f} GPU hours" if status.gpu_hours else "")
    return f"{status.name}: {plural(len(status.runs), 'run')}: {states}; {hours} so far"


def cells(run: "RunStatus") -> tuple[str, ...]:
    """What a person reads of a run."""
    step = f"{run.step} of {run.steps}" if run.step is not None else ""
    stage = "" if run.stage == "study" else f" ({run.stage})"
    share = f"{run.gpus:g} of a GPU" if 0 < run.gpus < 1 else ""
    where = ", ".join(filter(None, (run.where, share)))
    return (f"{run.variant} seed {run.seed}{stage}", run.state, step, where, _ago(run.since), run.why)


def _ago(since: str) -> str:
    """How long ago a time is; a queue's own words where it gives no time."""
    try:
        then = datetime.fromisoformat(since)
    except ValueError:
        return since
    return f"{duration(max(0, round((datetime.now(then.tzinfo) - then).total_seconds())))} ago"


def _told(status: StudyStatus, before: "dict[str, RunStatus]", *, silent: bool) -> "dict[str, RunStatus]":
    """Says which runs stand otherwise than before; how they stand now."""
    now = {run.key: replace(run, step=None, score=None, gpus=0.0, cpu_hours=0.0, gpu_hours=0.0) for run in status.runs}
    for key, run in now.items():
        old = before.get(key)
        if not silent and (old is None or (old.state, old.where) != (run.state, run.where)):
            words = [run.state, *(text for text in (run.where and f"on {run.where}", run.why) if text)]
            say(f"{run.variant} seed {run.seed}: {', '.join(words)}")
    return {**before, **now}
