"""A store by its fsspec URL: whole objects written, read, listed and removed. What may pass is tried again, and told.

Object stores have neither locks nor renames, and some show late what was written; nothing here counts on more than
that an object that can be read was written, perhaps not to its end.
"""

import logging
import random
import time
import uuid
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from ablate.errors import AblateError
from ablate.execution.job import why

if TYPE_CHECKING:
    from fsspec import AbstractFileSystem

WAITS = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0)
"""Seconds between tries, on average: two minutes in all, beside what the store's own library does."""
WAITS_OF_PROBE = (1.0, 2.0)
"""A wrong address is to be told soon."""
WITHOUT_FOLDERS = ("s3", "s3a", "gs", "gcs", "abfs", "abfss", "az", "adl", "oss", "oci", "tos", "memory")
"""Stores in which a folder is only a part of names; to make one could make a bucket."""
NEVER_PASSES = (
    FileNotFoundError,
    PermissionError,
    IsADirectoryError,
    NotADirectoryError,
    ImportError,
    NotImplementedError,
)
NO_CREDENTIALS = ("Credentials", "Profile", "NoRegion", "Refresh", "SSO", "Token", "ParamValidation")
"""Parts of the names of errors of boto and google-auth that say the same the next time."""
CREDENTIALS = "credentials and addresses are fsspec's own: the environment, or ~/.config/fsspec/*.json, on every node"

T = TypeVar("T")
logger = logging.getLogger(__name__)


class Bucket:
    """A folder of a store. Raises AblateError, with the URL and the cause, for what does not pass."""

    def __init__(
        self,
        files: "AbstractFileSystem",
        root: str,
        url: str,
        *,
        pause: Callable[[float], object] = time.sleep,
        waits: tuple[float, ...] = WAITS,
    ):
        """root: the folder's path as `files` has it. url: the same, for people. pause: waits so many seconds."""
        self.files, self.root, self.url = files, root.rstrip("/"), url.rstrip("/")
        self._pause, self._waits = pause, waits
        self._made: set[str] = set()

    def under(self, name: str) -> "Bucket":
        """A folder in this one."""
        return Bucket(self.files, self._path(name), f"{self.url}/{name}", pause=self._pause, waits=self._waits)

    def paused_by(self, pause: Callable[[float], object]) -> "Bucket":
        """The same, waiting between tries by `pause`."""
        return Bucket(self.files, self.root, self.url, pause=pause, waits=self._waits)

    def write(self, name: str, data: bytes) -> None:
        """An object, from memory."""
        self._try(f"write {name}", lambda: self.files.pipe_file(self._place(name), data))

    def upload(self, source: Path, name: str) -> None:
        """An object, from a file."""
        self._try(f"write {source.name}", lambda: self.files.put_file(str(source), self._place(name)))

    def read(self, name: str) -> bytes | None:
        """An object's bytes; None where there is none."""
        data = self._try(f"read {name}", _or_none(lambda: self.files.cat_file(self._path(name))))
        return None if data is None else bytes(data)

    def download(self, name: str, place: Path) -> bool:
        """Into a file, perhaps a part of it where this fails; False where there is no such object."""

        def get() -> bool:
            self.files.get_file(self._path(name), str(place))
            return True

        return bool(self._try(f"read {place.name}", _or_none(get)))

    def names(self, name: str = "") -> list[str]:
        """All objects below a folder in this one, relative to it; perhaps without the newest."""
        place = self._path(name) if name else self.root

        def find() -> list[str]:
            self.files.invalidate_cache()
            return list(self.files.find(place))

        found = self._try("list what is there", _or_none(find)) or []
        within = place.rstrip("/") + "/"
        return sorted(path.removeprefix(within).lstrip("/") for path in found if path != place)

    def remove(self, names: Iterable[str]) -> None:
        """Objects, those that are gone already included. A refusal is told and no more: nothing is wrong with what is
        left over."""
        paths = [self._path(name) for name in names]
        if not paths:
            return
        try:
            if not self._try("remove what is no longer needed", _or_none(lambda: [self.files.rm(paths)])):
                for path in paths:  # some stores stop at one that is gone
                    self._try(f"remove {path}", _or_none(lambda path=path: self.files.rm_file(path)))  # type: ignore[misc]
        except AblateError as error:
            logger.warning("%s", error)

    def must_remove(self, name: str) -> None:
        """One object, gone for certain, if the store keeps its word."""
        self._try(f"remove {name}", _or_none(lambda: self.files.rm_file(self._path(name))))

    def probe(self, *, listing: bool = False) -> None:
        """Writes, reads and removes a small object: raises AblateError where one of it cannot be."""
        told = uuid.uuid4().hex
        one = Bucket(self.files, self.root, self.url, pause=self._pause, waits=WAITS_OF_PROBE)
        name = f"probe-{told[:12]}"
        one.write(name, told.encode())
        if listing:
            one.names()
        read = one.read(name)
        one.must_remove(name)
        if read != told.encode():
            what = "gives back nothing" if read is None else "gives back something else"
            raise AblateError(f"{what} just after a small object was written", where=self.url)

    def _path(self, name: str) -> str:
        return f"{self.root}/{name}" if self.root else name

    def _place(self, name: str) -> str:
        """The path to write to, its folder made where the store has folders."""
        path = self._path(name)
        folder = path.rpartition("/")[0]
        if folder and folder not in self._made and not _is_flat(self.files):
            self.files.makedirs(folder, exist_ok=True)
            self._made.add(folder)
        return path

    def _try(self, what: str, do: Callable[[], T]) -> T:
        for wait in (*self._waits, None):
            try:
                return do()
            except Exception as error:  # of any store's library
                if wait is None or not may_pass(error):
                    tries = f", in {len(self._waits) + 1} tries" if wait is None else ""
                    what = f"cannot {what}: {why(error)}{tries}"
                    raise AblateError(what, where=self.url, hint=_hint(error)) from error
                logger.warning("%s: cannot %s: %s; tried again in about %g s", self.url, what, why(error), wait)
                self._pause(wait * random.uniform(0.5, 1.5))  # so that a thousand nodes do not come back together
        raise AssertionError("the last try returns or raises")


def may_pass(error: Exception) -> bool:
    """Whether the same may succeed a little later. What is not known may."""
    if isinstance(error, NEVER_PASSES):
        return False
    status = getattr(error, "code", None) or getattr(error, "status", None)  # of gcsfs and of aiohttp
    return str(status) not in ("401", "403") and not any(part in type(error).__name__ for part in NO_CREDENTIALS)


def _hint(error: Exception) -> str:
    if isinstance(error, FileNotFoundError):
        return "there is no such bucket or folder: make it first, or name another"
    return "" if may_pass(error) else CREDENTIALS


def _or_none(do: Callable[[], T]) -> Callable[[], T | None]:
    def done() -> T | None:
        with suppress(FileNotFoundError):
            return do()
        return None

    return done


def _is_flat(files: "AbstractFileSystem") -> bool:
    protocol = files.protocol
    return any(name in WITHOUT_FOLDERS for name in ((protocol,) if isinstance(protocol, str) else protocol))
