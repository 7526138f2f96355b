"""A study's jobs in the store as the command sees them: what is there, what a task is to begin from, what is taken in.

Its methods may be called from several threads, each for a job of its own.
"""

import logging
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ablate.disk.listing import visible
from ablate.errors import AblateError
from ablate.execution.storage.away import Trip
from ablate.execution.storage.bucket import Bucket
from ablate.execution.storage.home import Home, NotWhole
from ablate.execution.storage.kept import COMMIT, Kept, attempt_name, kept, kept_by_key, place_name, tell
from ablate.execution.storage.piece import Piece, get_piece, put_piece, read_pieces

MOST_PLACES = 4
"""That a task is told of: the newest, and those to fall back to."""

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Taken:
    """Whether a job's result is in its place here now; where a result in the store was not whole, why."""

    here: bool
    fault: str = ""


class Depot:
    """The part of a store that is one study's."""

    def __init__(self, bucket: Bucket, home: Home):
        """bucket: the study's folder in the store."""
        self._bucket, self._home = bucket, home
        self._command = uuid.uuid4().hex[:8]
        self._kept: dict[str, Kept] = {}
        self._numbers: dict[str, int] = {}

    def look(self) -> Mapping[str, Kept]:
        """Lists the whole study. Raises AblateError."""
        self._kept = dict(kept_by_key(self._bucket.names()))
        return self._kept

    def look_at(self, key: str) -> Kept:
        """Lists one job. Raises AblateError."""
        names = self._bucket.names(key)
        if self._home.afresh(key):  # a task of an earlier command, thought dead, may have written since
            names = [name for name in names if name.partition("/")[0].endswith(self._command)]
        self._kept[key] = found = kept(names)
        return found

    def trip(self, key: str) -> Trip:
        """The next attempt at a job: under a name that no other has, from the newest place there is, here or there.
        Raises AblateError."""
        found = self._kept.get(key, Kept())
        number = max(found.next_number, self._numbers.get(key, 0) + 1)
        self._numbers[key] = number
        attempt, files = attempt_name(number, self._command), self._home.files(key)
        places = found.places[:MOST_PLACES]
        brought = self._of_another_engine(key, files.place, places[0][1] if places else "")
        if brought is not None:
            own = self._bucket.under(key).under(attempt)
            tell(own, place_name(brought.name), [put_piece(own, brought)])
            places = ((attempt, brought.name), *places)
        return Trip(f"{self._bucket.url}/{key}", attempt, files, self._home.word, places)

    def _of_another_engine(self, key: str, place: str, newest: str) -> Path | None:
        """A place that was saved in our own folder and is newer than what the store has."""
        here = [] if self._home.afresh(key) else visible(self._home.root / place)
        return here[-1] if here and here[-1].name > newest else None

    def take_in(self, key: str, attempts: tuple[str, ...], *, claimed: bool = False) -> Taken:
        """The result of the first of these attempts that is whole and wanted, moved into its place, and all else of the
        job removed from the store. claimed: the caller holds the claim already.

        Raises Busy; AblateError where the store does not answer or the place cannot be written.
        """
        faults = []
        claim = None if claimed else self._home.claim(key)
        try:
            for attempt in attempts:
                pieces: list[Piece] = []

                def fill(folder: Path, attempt: str = attempt, pieces: list[Piece] = pieces) -> None:
                    pieces += self._fetch(key, attempt, folder)

                try:
                    if self._home.receive(key, fill):
                        self._tidy(key, attempt, pieces)
                        return Taken(here=True)
                except NotWhole as error:
                    faults.append(f"{attempt}: {error}")
            return Taken(here=False, fault="; ".join(faults))
        finally:
            if claim is not None:
                claim.release()

    def take_in_what_is_there(self, key: str) -> Taken:
        """The same for a job whose task was lost: perhaps it had ended just before."""
        return self.take_in(key, self.look_at(key).commits)

    def forget(self, key: str) -> Taken:
        """Removes all that the store holds of a job, its commits first. Raises AblateError."""
        bucket, found = self._bucket.under(key), self._kept.get(key, Kept())
        commits = [f"{attempt}/{COMMIT}" for attempt in found.commits]
        for name in commits:
            bucket.must_remove(name)
        bucket.remove(name for name in found.names if name not in commits)
        self._numbers[key] = found.next_number - 1
        self._kept[key] = Kept()
        return Taken(here=False)

    def _fetch(self, key: str, attempt: str, folder: Path) -> tuple[Piece, ...]:
        """Raises NotWhole, AblateError."""
        bucket = self._bucket.under(key).under(attempt)
        pieces = read_pieces(bucket, COMMIT)
        for piece in pieces:
            get_piece(bucket, piece, folder / piece.name)
        return pieces

    def _tidy(self, key: str, attempt: str, pieces: Sequence[Piece]) -> None:
        """Places and other attempts go once the result is here; the result stays, for a command without our folder."""
        stay = {f"{attempt}/{name}" for name in (COMMIT, *(piece.blake2b for piece in pieces))}
        try:
            gone = [name for name in kept(self._bucket.names(key)).names if name not in stay]
        except AblateError as error:  # what is left over harms nobody
            logger.warning("%s", error)
            return
        telling = [name for name in gone if name.endswith(".json")]
        self._bucket.under(key).remove(telling)  # what tells of a file goes before the file
        self._bucket.under(key).remove(set(gone).difference(telling))
