"""A folder, or a zip of one, as named arrays; nothing is ever unpickled."""

import io
import zipfile
from pathlib import Path

import numpy as np

from ablate.data.recording.array_file import UNREADABLE, map_array
from ablate.disk.listing import files_under
from ablate.errors import AblateError


class Files:
    """Names relative to where `marker` lies: the folder itself, or one folder down, as zips often have it.

    Raises AblateError where the marker is nowhere.
    """

    def __init__(self, place: Path, marker: str):
        self.place = place
        self._zip = zipfile.ZipFile(place) if place.is_file() else None
        names = self._all_names()
        found = [name for name in names if name == marker or name.endswith(f"/{marker}")]
        if not found:
            raise AblateError(f"{marker} is missing", where=str(place))
        self._before = min(found, key=len).removesuffix(marker)
        self.names = frozenset(name.removeprefix(self._before) for name in names if name.startswith(self._before))

    def _all_names(self) -> list[str]:
        if self._zip is not None:
            return [name for name in self._zip.namelist() if not name.endswith("/") and "__MACOSX" not in name]
        return [path.relative_to(self.place).as_posix() for path in files_under(self.place)]

    def array(self, name: str) -> np.ndarray:
        """One .npy file. Raises AblateError where it is missing, damaged or pickled."""
        if name not in self.names:
            raise AblateError(f"{name} is missing", where=str(self.place))
        if self._zip is None:
            return map_array(self.place / (self._before + name))
        try:
            return np.asarray(np.load(io.BytesIO(self._zip.read(self._before + name)), allow_pickle=False))
        except (*UNREADABLE, zipfile.BadZipFile) as error:
            what = f"{name} is no .npy file, or holds pickled objects"
            raise AblateError(what, where=str(self.place)) from error

    def numbered(self, folder: str) -> dict[int, str]:
        """`folder/17.npy` by its number, in order."""
        stems = ((name, name.removeprefix(f"{folder}/").removesuffix(".npy")) for name in self.names)
        found = {int(stem): name for name, stem in stems if stem.isdigit() and name == f"{folder}/{stem}.npy"}
        return dict(sorted(found.items()))


def has(place: Path, *markers: str) -> bool:
    """Whether a folder, or a zip, holds all of these files (in a zip also one folder down)."""
    if place.is_dir():
        return all((place / marker).exists() for marker in markers)
    if place.suffix != ".zip" or not zipfile.is_zipfile(place):
        return False
    with zipfile.ZipFile(place) as archive:
        names = archive.namelist()
    return all(any(name == mark or f"/{mark}" in f"/{name}" for name in names) for mark in markers)
