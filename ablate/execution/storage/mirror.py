"""While a job works on its node: the newest file of its place goes to the store, how far it is to who listens."""

import contextlib
import logging
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ablate.disk.listing import visible
from ablate.disk.whole import BESIDE
from ablate.errors import AblateError
from ablate.execution.storage.bucket import Bucket
from ablate.execution.storage.kept import place_name, tell
from ablate.execution.storage.piece import Piece, put_piece

KEPT = 2
"""Places of one attempt that stay in the store, as on a disk."""
SECONDS_BETWEEN_PLACES = 1.0
SECONDS_BETWEEN_WORDS = 2.0

logger = logging.getLogger(__name__)


class Mirror:
    """Sends the newest file of a place; those that came while it was sending are passed over."""

    def __init__(self, place: Path, spool: Path):
        """spool: a folder on the same disk as `place`."""
        self._place, self._spool = place, spool
        self._sent: list[Piece] = []
        self._newest = ""

    def know(self, name: str) -> None:
        """A file of the place that need not be sent: it came from the store."""
        self._newest = name

    def look(self, bucket: Bucket) -> None:
        """bucket: the attempt's. Raises AblateError where the store does not take it."""
        names = [path.name for path in visible(self._place) if not path.name.startswith(BESIDE)]
        if not names or names[-1] <= self._newest:
            return
        held = self._spool / names[-1]
        with contextlib.suppress(FileExistsError):
            try:
                os.link(self._place / names[-1], held)  # so that the work may remove its own meanwhile
            except FileNotFoundError:
                return
        try:
            piece = put_piece(bucket, held)
            tell(bucket, place_name(piece.name), [piece])
        finally:
            held.unlink(missing_ok=True)
        self._newest = piece.name
        self._sent.append(piece)
        for old in self._sent[:-KEPT]:
            bucket.remove([place_name(old.name), old.blake2b])
        self._sent = self._sent[-KEPT:]


@contextmanager
def sending(mirror: Mirror, bucket: Bucket, progress: Path, say: Callable[[str], None]) -> Iterator[None]:
    """Looks after the place and passes on what `progress` says, for as long as the block runs."""
    told, ended = "", threading.Event()
    hurried = bucket.paused_by(ended.wait)

    def send() -> None:
        try:
            mirror.look(hurried)
        except AblateError as error:  # the work goes on, and its next place is tried
            logger.warning("this place is not kept: %s", error)

    def pass_on() -> None:
        nonlocal told
        with contextlib.suppress(OSError):
            now = progress.read_text()
            if now != told:
                say(now)
                told = now

    threads = [
        threading.Thread(target=_often, args=(send, SECONDS_BETWEEN_PLACES, ended), daemon=True),
        threading.Thread(target=_often, args=(pass_on, SECONDS_BETWEEN_WORDS, ended), daemon=True),
    ]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        for thread in threads:
            thread.join()


def _often(do: Callable[[], None], seconds: float, ended: threading.Event) -> None:
    while not ended.wait(seconds):
        try:
            do()
        except Exception:  # a fault of ours must not end what keeps places
            logger.exception("cannot send")
