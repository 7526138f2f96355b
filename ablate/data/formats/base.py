"""What the readers of other labs' files share: where the files lie, and a cache of what was read of them.

A file is read once into a recording folder of ours in the cache, keyed by the reader's options and by the names, sizes
and times of its files, and is opened from there, memory-mapped.
"""

import hashlib
import json
import shlex
from collections.abc import Callable
from pathlib import Path

from ablate.config import non_default
from ablate.data.encoding.config import EncodingDataConfig
from ablate.data.encoding.recordings import RecordingsConfig, found_at
from ablate.data.recording import Recording, write_recording
from ablate.data.recording.check import check_numbers, check_shapes
from ablate.data.recording.folder import check_rate
from ablate.data.recording.held import without_what_never_counts
from ablate.disk.cache import CACHE_VARIABLE, cache_folder
from ablate.disk.listing import visible
from ablate.disk.lock import locked
from ablate.disk.stamp import stamp_of
from ablate.errors import AblateError

READERS = 3  # raise it whenever the same file would be read otherwise: old caches are then left alone


class FormatConfig(RecordingsConfig):
    """Files of one kind, each one session."""

    @staticmethod
    def is_one(place: Path) -> bool:
        """Whether a path is a session of this format."""
        raise NotImplementedError

    def read(self, place: Path) -> Recording:
        """One session. Raises AblateError for what is damaged, missing, or can be understood in two ways."""
        raise NotImplementedError

    def files_of(self, place: Path) -> tuple[Path, ...]:
        """Files and folders that a session is read from."""
        return (place,)

    def places(self) -> tuple[Path, ...]:
        """The sessions' files or folders, sorted within each entry of `path`. Raises AblateError for none."""
        entries = (self.path,) if isinstance(self.path, str) else self.path
        if not any(entries):
            raise AblateError("no file is named", where="data.path", hint="give `path: FILE`")
        found = dict.fromkeys(place for entry in entries for place in places_of(entry, self.is_one, str(self.type)))
        return tuple(found)[: self.max_sessions]

    def folders(self) -> tuple[Path, ...]:
        """The recording folders that the files were read into."""
        return tuple(self._read_once(place) for place in self.places())

    def reader_options(self) -> dict[str, object]:
        """What the reader was set to: the fields that are not of every data set."""
        shared = {*EncodingDataConfig.model_fields, *RecordingsConfig.model_fields}
        return {name: value for name, value in non_default(self).items() if name not in shared}

    def _read_once(self, place: Path) -> Path:
        stamps = [stamp_of([str(one)]) for one in self.files_of(place)]
        identity = [READERS, str(self.type), self.reader_options(), str(place.resolve()), stamps]
        key = hashlib.sha256(json.dumps(identity, sort_keys=True).encode()).hexdigest()[:16]
        folder = cache_folder() / "formats" / f"{self.type}-{key}"
        if folder.is_dir():
            return folder
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            with locked(folder.with_suffix(".lock"), wait=True):
                if not folder.is_dir():
                    write_recording(folder, self.checked(place), checked=False)
        except OSError as error:
            hint = f"set {CACHE_VARIABLE} to a folder with room, and write access"
            raise AblateError(f"cannot be written: {error.strerror}", where=str(folder), hint=hint) from error
        return folder

    def sources(self) -> tuple[str, ...]:
        entries = super().sources()
        try:
            places = self.places() if entries else ()
        except AblateError:  # it is said when they are opened
            return entries
        beside = (one for place in places for one in self.files_of(place)[1:] if one.exists())
        return tuple(dict.fromkeys((*entries, *map(str, beside))))

    def checked(self, place: Path) -> Recording:
        """As `read`, with shapes and values checked, and the file's name in every message."""
        try:
            recording = self.read(place)
            check_rate(recording.bin_rate_hz, str(place))
            check_shapes(recording, where=str(place))
            recording = without_what_never_counts(recording)
            check_numbers(recording, where=str(place))
            return recording
        except OSError as error:
            raise AblateError(f"cannot be read: {error.strerror or error}", where=str(place)) from error
        except AblateError as error:
            if str(place) in str(error):
                raise
            first = error.problems[0]
            where = f"{place}: {first.where}" if first.where else str(place)
            raise AblateError(first.what, where=where, hint=first.hint) from error


def session_name(place: Path) -> str:
    """What a session is called: a file without its suffix; a folder as it is, `2024.01.05` too."""
    return place.name if place.is_dir() else place.stem


def places_of(entry: str, is_one: Callable[[Path], bool], kind: str) -> list[Path]:
    """What one entry of `path` means: a session, a folder of sessions, or a glob of either."""
    found = found_at(entry, lambda place: _sessions_at(place, is_one))
    if found:
        return found
    hint = f"`ablate data inspect {shlex.quote(entry)}` tells what lies there"
    raise AblateError(f"nothing of the format {kind} is found at {entry}", where="data.path", hint=hint)


def _sessions_at(place: Path, is_one: Callable[[Path], bool]) -> list[Path]:
    if not place.exists():
        return []
    if is_one(place):
        return [place]
    return [one for one in visible(place) if is_one(one)]
