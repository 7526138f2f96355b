"""Recording folders named by the recipe: real data, or anything written in the same form."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import ClassVar, Literal

import torch
from pydantic import Field

from ablate.contract import SessionSpec
from ablate.data.encoding.batches import EncodingDataset
from ablate.data.encoding.chosen import told_of
from ablate.data.encoding.config import PLACEHOLDER_RATE, EncodingDataConfig, UnitsConfig
from ablate.data.recording import Recording, read_recording
from ablate.data.recording.resample import factor_to, resampled
from ablate.data.recording.unit_table import TABLES
from ablate.disk.listing import places_at, roots, visible
from ablate.errors import AblateError

REHEARSAL_FRAMES = 6000
REHEARSAL_SESSIONS = 2


class RecordingsConfig(EncodingDataConfig):
    """Recording folders, each one session."""

    location_fields: ClassVar[tuple[str, ...]] = ("path",)

    type: Literal["recordings"] = "recordings"
    path: str | tuple[str, ...] = ""
    """A recording's folder, a folder of such folders, a glob, or several of these. Relative to the working
    directory, or else to $ABLATE_DATA. `--data PATH` sets it."""
    max_sessions: int | None = Field(default=None, ge=1)
    """Uses only the first recordings, by name."""
    max_frames: int | None = Field(default=None, ge=1)
    """Uses only the first frames of every recording."""
    units: UnitsConfig = UnitsConfig()
    """Which units train and are scored; the others keep their numbers and count nowhere."""
    resample_hz: float | None = Field(default=None, gt=0)
    """Adds bins up to this rate, which must divide that of every recording. Default: recordings of different rates are
    refused."""

    @property
    def chosen_units(self) -> UnitsConfig:
        return self.units

    def folders(self) -> tuple[Path, ...]:
        """The recordings' folders, sorted within each entry of `path`; each once. Raises AblateError where none is
        found."""
        entries = (self.path,) if isinstance(self.path, str) else self.path
        if not any(entries):
            raise AblateError(
                "no recording is named", where="data.path", hint="give `path: FOLDER`, or `--data FOLDER`"
            )
        found = dict.fromkeys(folder for entry in entries for folder in _folders_of(entry))
        return tuple(found)[: self.max_sessions]

    def sources(self) -> tuple[str, ...]:
        lists = (self.units.file,) if self.units.file and Path(self.units.file).expanduser().is_file() else ()
        return tuple(one for one in (*((self.path,) if isinstance(self.path, str) else self.path), *lists) if one)

    def session_specs(self) -> tuple[SessionSpec, ...]:
        specs = []
        for folder in self.folders():
            recording = read_recording(folder, check_values=False)
            refuse_bits_of_calcium(recording, self.metric)
            if self.resample_hz is not None:
                rate = recording.bin_rate_hz / factor_to(recording, self.resample_hz)
                recording = replace(recording, bin_rate_hz=rate)
            mean_rate = (PLACEHOLDER_RATE,) * recording.units
            specs.append(recording.session_spec(mean_rate))
        return tuple(specs)

    def open(self, device: torch.device) -> EncodingDataset:
        longest = self.max_frames if self.resample_hz is None else None
        folders = self.folders()
        whole = (read_recording(folder, max_frames=longest) for folder in folders)
        recordings = tuple(resampled(recording, self.resample_hz).first(self.max_frames) for recording in whole)
        for recording in recordings:
            refuse_bits_of_calcium(recording, self.metric)
        told = told_of(recordings, folders, self.units)
        if self.type != "recordings" or self.units.quality is not None or self.units.file is not None:
            recordings = tuple(_with_its_table_read(recording) for recording in recordings)
        return EncodingDataset(recordings, self, device=device, told=told)

    def rehearsal(self) -> "RecordingsConfig":
        small = {
            "max_sessions": min(self.max_sessions or REHEARSAL_SESSIONS, REHEARSAL_SESSIONS),
            "max_frames": min(self.max_frames or REHEARSAL_FRAMES, REHEARSAL_FRAMES),
        }
        return self.changed(**small, **self._rehearsed_windows())


def _with_its_table_read(recording: Recording) -> Recording:
    return replace(recording, unread=tuple(name for name in recording.unread if name not in TABLES))


def refuse_bits_of_calcium(recording: Recording, metric: str) -> None:
    """Raises AblateError: calcium has no spikes to gain bits per."""
    if recording.signal == "calcium" and metric == "bits_per_spike":
        what = f"{recording.name} holds calcium responses, and bits/spike counts spikes"
        raise AblateError(what, where="metric", hint="write `metric: correlation`")


def found_at(entry: str, inside: Callable[[Path], list[Path]]) -> list[Path]:
    """What a path or glob leads to, from the working directory, else from $ABLATE_DATA. inside: what counts of a file
    or folder."""
    for root in roots(Path.cwd()):
        found = [one for place in places_at(entry, root) for one in inside(place)]
        if found:
            return found
    return []


def _folders_of(entry: str) -> list[Path]:
    """The recording folders that one entry of `path` means."""
    folders = found_at(entry, _recordings_at)
    if folders:
        return folders
    raise AblateError(
        f"no recording found at {entry}",
        where="data.path",
        hint="name its folder by `--data FOLDER`: one with recording.yaml, stimulus.npy and spikes.npy, as "
        "`ablate data make` writes it",
    )


def _recordings_at(place: Path) -> list[Path]:
    """The folder itself if it is a recording, else the recordings directly in it."""
    if (place / "recording.yaml").is_file():
        return [place]
    return [one for one in visible(place) if (one / "recording.yaml").is_file()]
