"""One recording: a folder with what was shown, what was counted, and what the animal did; memory-mapped, oldest
frame first.

    recording.yaml   name, bin_rate_hz; optional behavior_names, and free text (species, source, license, note, ...)
    stimulus.npy     (t, h, w) uint8 or float32          spikes.npy    (t, u) counts
    behavior.npy     (t, k) float32, optional            valid.npy     (t, u) bool, optional
    trials.npy       (t,) int, -1 = none, optional       rates.npy     (t, u) float32 true rates, spikes a bin, optional

Rows of all files belong to the same bins. Row t of behavior.npy was measured during bin t.
"""

import contextlib
import io
import math
import os
import shutil
import uuid
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from ablate.contract import SessionSpec
from ablate.data.array_file import all_rows, is_finite, is_not_negative, is_whole, map_array
from ablate.errors import AblateError

Array = np.ndarray

YAML_BYTES = 1 << 20  # a header is a few lines; a megabyte of it is a mistake or an attack
OPTIONAL = ("behavior", "valid", "trials", "rates")


@dataclass(frozen=True)
class Recording:
    """One session. Arrays are memory maps where the recording was read from a folder."""

    name: str
    bin_rate_hz: float
    stimulus: Array
    spikes: Array
    behavior: Array | None = None
    valid: Array | None = None
    trials: Array | None = None
    rates: Array | None = None
    behavior_names: tuple[str, ...] = ()
    notes: dict[str, Any] = field(default_factory=dict)

    @property
    def frames(self) -> int:
        return int(self.stimulus.shape[0])

    @property
    def units(self) -> int:
        return int(self.spikes.shape[1])

    @property
    def behaviors(self) -> int:
        return 0 if self.behavior is None else int(self.behavior.shape[1])

    def session_spec(self, mean_rate: tuple[float, ...]) -> SessionSpec:
        """What a model must know of this recording."""
        _, height, width = self.stimulus.shape
        return SessionSpec(self.name, height, width, self.units, self.behaviors, self.bin_rate_hz, mean_rate)

    def first(self, frames: int | None) -> "Recording":
        """The first frames only."""
        if frames is None or frames >= self.frames:
            return self
        parts = {name: getattr(self, name) for name in ("stimulus", "spikes", *OPTIONAL)}
        return replace(self, **{name: part[:frames] for name, part in parts.items() if part is not None})


def read_recording(folder: Path, *, max_frames: int | None = None, check_values: bool = True) -> Recording:
    """Opens a recording. Raises AblateError for anything that is not as the module's docstring says.

    check_values: also looks at every value (NaN, negative counts); without it only headers are read.
    """
    if not folder.is_dir():
        raise AblateError("no such folder", where=str(folder))
    if not any(folder.iterdir()):
        hint = "a recording has recording.yaml, stimulus.npy and spikes.npy"
        raise AblateError("the folder is empty", where=str(folder), hint=hint)
    notes = _read_header(folder)
    arrays = {name: map_array(folder / f"{name}.npy") for name in ("stimulus", "spikes")}
    arrays |= {name: map_array(folder / f"{name}.npy") for name in OPTIONAL if (folder / f"{name}.npy").exists()}
    names = tuple(str(name) for name in notes.pop("behavior_names", None) or ())
    recording = Recording(
        name=str(notes.pop("name", folder.name)),
        bin_rate_hz=float(notes.pop("bin_rate_hz")),
        behavior_names=names,
        notes=notes,
        **arrays,
    )
    check_shapes(recording, where=str(folder))
    recording = recording.first(max_frames)
    if check_values:
        check_numbers(recording, where=str(folder))
    return recording


def write_recording(folder: Path, recording: Recording, *, checked: bool = True) -> None:
    """Writes beside the place and moves in by one rename: the folder is whole or absent. Refuses to overwrite."""
    if folder.exists():
        raise AblateError("already exists", where=str(folder), hint="name another folder, or remove this one first")
    if checked:
        check_shapes(recording, where=str(folder))
        check_numbers(recording, where=str(folder))
    folder.parent.mkdir(parents=True, exist_ok=True)
    beside = folder.parent / f".{folder.name}.{os.getpid()}.{uuid.uuid4().hex[:8]}"
    beside.mkdir()
    try:
        for name in ("stimulus", "spikes", *OPTIONAL):
            if (part := getattr(recording, name)) is not None:
                np.save(beside / f"{name}.npy", part, allow_pickle=False)
        (beside / "recording.yaml").write_text(_header_text(recording), encoding="utf-8")
        beside.rename(folder)
    finally:
        with contextlib.suppress(FileNotFoundError):
            shutil.rmtree(beside)


# ------------------------------------------------------------------ the header


def _read_header(folder: Path) -> dict[str, Any]:
    path = folder / "recording.yaml"
    if not path.is_file():
        raise AblateError("recording.yaml is missing", where=str(folder))
    if path.stat().st_size > YAML_BYTES:
        raise AblateError("recording.yaml is larger than 1 MB", where=str(folder))
    try:
        header = YAML(typ="safe", pure=True).load(path.read_text(encoding="utf-8"))
    except (YAMLError, UnicodeDecodeError, ValueError, RecursionError) as error:
        raise AblateError("recording.yaml is not valid YAML", where=str(folder)) from error
    if not isinstance(header, dict):
        raise AblateError("recording.yaml must hold keys and values", where=str(folder))
    rate = header.get("bin_rate_hz")
    if rate is None:
        hint = "add `bin_rate_hz: 120` (bins a second) to recording.yaml"
        raise AblateError("recording.yaml has no bin_rate_hz", where=str(folder), hint=hint)
    if isinstance(rate, bool) or not isinstance(rate, int | float) or not math.isfinite(rate) or rate <= 0:
        raise AblateError(f"bin_rate_hz must be a positive number, not {rate!r}", where=str(folder))
    if not str(header.get("name", folder.name)).strip():
        raise AblateError("the recording's name is empty", where=str(folder))
    if not isinstance(header.get("behavior_names") or [], list):
        raise AblateError("behavior_names must be a list of names", where=str(folder))
    return {str(key): value for key, value in header.items()}


def _header_text(recording: Recording) -> str:
    header: dict[str, Any] = {"name": recording.name, "bin_rate_hz": recording.bin_rate_hz}
    if recording.behavior_names:
        header["behavior_names"] = list(recording.behavior_names)
    text = io.StringIO()
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    yaml.dump({**header, **recording.notes}, text)
    return text.getvalue()


# ------------------------------------------------------------------ what must hold


def check_shapes(recording: Recording, *, where: str) -> None:
    """Types, axes and lengths. Raises AblateError for the first fault."""
    stimulus, spikes = recording.stimulus, recording.spikes
    _require(
        stimulus.dtype in (np.uint8, np.float32), f"stimulus must be uint8 or float32, not {stimulus.dtype}", where
    )
    _require(stimulus.ndim == 3, f"stimulus must have axes (t, h, w), not shape {stimulus.shape}", where)
    _require(spikes.dtype.kind in "uif", f"spikes must be counts, not {spikes.dtype}", where)
    _require(spikes.ndim == 2, f"spikes must have axes (t, u), not shape {spikes.shape}", where)
    _require(spikes.shape[1] > 0, "spikes has no units", where)
    _require(stimulus.size > 0, f"stimulus is empty, shape {stimulus.shape}", where)
    kinds = {"behavior": ("f", 2), "valid": ("b", 2), "trials": ("i", 1), "rates": ("f", 2)}
    meant = {"behavior": "float32 (t, k)", "valid": "bool (t, u)", "trials": "int (t,)", "rates": "float32 (t, u)"}
    for name, (kind, axes) in kinds.items():
        part = getattr(recording, name)
        if part is not None:
            told = f"{name} must be {meant[name]}, not {part.dtype} of shape {part.shape}"
            _require(part.dtype.kind == kind and part.ndim == axes, told, where)
    for name in ("spikes", *OPTIONAL):
        part = getattr(recording, name)
        if part is not None and len(part) != len(stimulus):
            word = "shorter" if len(part) < len(stimulus) else "longer"
            what = f"{name} has {len(part)} bins, {word} than the stimulus with {len(stimulus)} frames"
            raise AblateError(what, where=where, hint="both count the same bins, oldest first")
    for name in ("valid", "rates"):
        part = getattr(recording, name)
        fits = part is None or part.shape == spikes.shape
        _require(fits, f"{name} has shape {None if part is None else part.shape}, spikes has {spikes.shape}", where)
    names, columns = len(recording.behavior_names), recording.behaviors
    _require(not names or names == columns, f"{names} behavior_names for {columns} columns of behavior", where)


def check_numbers(recording: Recording, *, where: str) -> None:
    """Values. Raises AblateError for the first fault."""
    for name in ("stimulus", "behavior", "rates"):
        part = getattr(recording, name)
        if part is not None and part.dtype.kind == "f":
            hint = "" if name != "behavior" else "fill or cut the gap; valid.npy marks bins that are not to be scored"
            _require(all_rows(part, is_finite), f"{name} contains NaN or infinity", where, hint)
    _require(all_rows(recording.spikes, is_whole), "spikes contains counts that are not whole numbers", where)
    _require(all_rows(recording.spikes, is_not_negative), "spikes contains negative counts", where)
    if recording.rates is not None:
        _require(all_rows(recording.rates, is_not_negative), "rates contains negative rates", where)


def _require(holds: bool, what: str, where: str, hint: str = "") -> None:
    if not holds:
        raise AblateError(what, where=where, hint=hint)
