"""An object store in a folder, over fsspec, on which faults can be planted: by operation and path."""

from collections.abc import Callable
from pathlib import Path

from fsspec.implementations.dirfs import DirFileSystem
from fsspec.implementations.local import LocalFileSystem

from ablate.execution.storage.bucket import WAITS, Bucket


class PlantedStore:
    """Passes every call on. before: called with operation and path, may raise. after: likewise, once it has been done.
    hidden: what a listing does not show yet."""

    protocol = "dir"

    def __init__(self, folder: Path):
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.files = DirFileSystem(str(folder), LocalFileSystem())
        self.before: Callable[[str, str], None] = lambda operation, path: None
        self.after: Callable[[str, str], None] = lambda operation, path: None
        self.hidden: Callable[[str], bool] = lambda path: False
        self.calls: list[tuple[str, str]] = []
        self.waits = WAITS
        self.waited: list[float] = []

    def bucket(self, url: str = "") -> Bucket:
        root = url.partition("://")[2].lstrip("/")
        return Bucket(self, root, url or "planted://", pause=self.waited.append, waits=self.waits)

    def names(self) -> list[str]:
        """All objects."""
        return sorted(str(path.relative_to(self.folder)) for path in self.folder.rglob("*") if path.is_file())

    def find(self, path: str) -> list[str]:
        self._told("find", path)
        return [name for name in self.files.find(path) if not self.hidden(name)]

    def put_file(self, source: str, path: str) -> None:
        self._told("put_file", path)
        self.files.put_file(source, path)
        self.after("put_file", path)

    def pipe_file(self, path: str, data: bytes) -> None:
        self._told("pipe_file", path)
        self.files.pipe_file(path, data)
        self.after("pipe_file", path)

    def cat_file(self, path: str) -> bytes:
        self._told("cat_file", path)
        return self.files.cat_file(path)

    def get_file(self, path: str, place: str) -> None:
        self._told("get_file", path)
        self.files.get_file(path, place)

    def rm_file(self, path: str) -> None:
        self._told("rm_file", path)
        self.files.rm_file(path)

    def rm(self, paths: list[str]) -> None:
        for path in paths:
            self.rm_file(path)

    def makedirs(self, path: str, exist_ok: bool) -> None:
        self.files.makedirs(path, exist_ok=exist_ok)

    def invalidate_cache(self) -> None:
        pass

    def _told(self, operation: str, path: str) -> None:
        self.calls.append((operation, path))
        self.before(operation, path)


def cut(store: PlantedStore, name: str) -> None:
    """Leaves the first half of an object, as an upload that is cut does where writes are not atomic."""
    path = store.folder / name
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
