"""One job on a node that shares nothing with its command but a store: from the newest place on, in a folder of the
node's own; its place is sent while it works, its result and then its commit when it is done.
"""

import os
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from ablate.disk.listing import visible
from ablate.disk.lock import acquire, holder, locked
from ablate.errors import AblateError, Problem
from ablate.execution.attempt import attempt
from ablate.execution.child import print_into
from ablate.execution.job import Job, Outcome, Stop, Work, log_tail, why
from ablate.execution.storage.bucket import Bucket
from ablate.execution.storage.home import JobFiles, NotWhole
from ablate.execution.storage.kept import COMMIT, place_name, tell
from ablate.execution.storage.mirror import Mirror, sending
from ablate.execution.storage.piece import get_piece, put_piece, read_pieces
from ablate.execution.storage.url import open_bucket

HELD = "held.lock"


@dataclass(frozen=True)
class Trip:
    """What a node must know beside the job. url: of the job's folder in the store. attempt: the name of this one.
    begin_from: attempts and files of places, the newest first. word: the payload's, for the folder it works in."""

    url: str
    attempt: str
    files: JobFiles
    word: str
    begin_from: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Back:
    """What came of it. refused: why the store cannot be used from this node, so that nothing was begun. lost: the job
    was done, but why its result is in no store."""

    outcome: Outcome
    refused: Problem | None = None
    lost: str = ""


@dataclass(frozen=True)
class Ways:
    """What a test replaces. say: is told at the beginning, with nothing, and then what the progress file says."""

    say: Callable[[str], None] = lambda text: None
    printing: Callable[[str], None] = print_into
    opened: Callable[[str], Bucket] = open_bucket


def work_away(trip: Trip, job: Job, work: Work, timeout: float | None, ways: Ways) -> Back:
    """Does one job. Nothing is raised but what Ray itself raises in a task."""
    with own_folder(job.key) as root:
        log = root / trip.files.log
        log.parent.mkdir(parents=True, exist_ok=True)
        ways.printing(str(log))
        try:
            bucket = ways.opened(trip.url)
            bucket.probe()
        except AblateError as error:
            refused = replace(error.problems[0], what=f"{error.problems[0].what}, on node {socket.gethostname()}")
            return Back(Outcome(job.key, "failed", why(error)), refused)
        own = bucket.under(trip.attempt)
        (root / "spool").mkdir()
        mirror = Mirror(root / trip.files.place, root / "spool")
        with Stop().listening() as stop:
            mirror.know(fetch_place(bucket, trip, root / trip.files.place))
        if stop.requested:
            return Back(Outcome(job.key, "interrupted", "asked to stop"))
        ways.say("")
        own_job = replace(job, payload={**job.payload, trip.word: str(root)})
        with sending(mirror, own, root / trip.files.progress, ways.say):
            outcome = attempt(own_job, work, timeout)
        with Stop().listening():  # a second wish to stop must not cut short what keeps the first one's word
            lost = keep(own, root / trip.files.result, mirror, outcome)
        return Back(replace(outcome, log_tail=outcome.log_tail or log_tail(log)), lost=lost)


def keep(own: Bucket, result: Path, mirror: Mirror, outcome: Outcome) -> str:
    """Sends the result of a job that is done, the place of another; why that could not be, empty where it could."""
    try:
        if outcome.state != "done":
            mirror.look(own)
            return ""
        files = [path for path in visible(result) if path.is_file()]
        if not files:
            return "it left no result"
        tell(own, COMMIT, [put_piece(own, path) for path in files])
    except AblateError as error:
        return why(error)
    return ""


def fetch_place(bucket: Bucket, trip: Trip, place: Path) -> str:
    """The newest place that is whole, its file's name; empty where there is none. One that is not whole, or that the
    store does not give, is told and passed over: that costs steps and no more."""
    place.mkdir(parents=True, exist_ok=True)
    for name, file in trip.begin_from:
        one = bucket.under(name)
        try:
            piece, *_ = read_pieces(one, place_name(file))
            beside = place.parent / f"fetched-{piece.blake2b}"
            get_piece(one, piece, beside)
            os.replace(beside, place / piece.name)
        except (NotWhole, AblateError) as error:
            print(f"the place {name}/{file} is passed over: {error}", flush=True)
            continue
        return piece.name
    return ""


@contextmanager
def own_folder(key: str) -> Iterator[Path]:
    """An empty folder on this node, gone after the block; those of tasks that were killed go before it."""
    base = Path(tempfile.gettempdir()) / f"ablate-{os.getuid()}"
    base.mkdir(mode=0o700, exist_ok=True)
    if base.lstat().st_uid != os.getuid():
        base = Path(tempfile.mkdtemp(prefix="ablate-"))  # somebody else has taken the name
    with locked(base / "sweep.lock", wait=True):
        for left in visible(base):
            if left.is_dir() and holder(left / HELD) is None:
                shutil.rmtree(left, ignore_errors=True)
        root = Path(tempfile.mkdtemp(prefix=f"{key}-", dir=base))
        held = acquire(root / HELD)
    try:
        yield root
    finally:
        shutil.rmtree(root, ignore_errors=True)
        if held is not None:
            held.release()
