"""One recording: a folder with what was shown, what was counted, and what the animal did; memory-mapped, oldest
frame first.

    recording.yaml   name, bin_rate_hz; optional bins_per_frame (a frame is shown for so many bins), behavior_names,
                     signal (spikes, or calcium: spikes.npy then holds any numbers from zero on), and free text
                     (species, source, license, note, ...)
    stimulus.npy     (t, h, w) uint8 or float32          spikes.npy    (t, u) counts
    behavior.npy     (t, k) float32, optional            valid.npy     (t, u) bool, optional
    behavior_valid.npy (t,) or (t, k) bool, optional: where behaviour was measured; a model is given its mean elsewhere
    split.npy        (t,) int, or one a trial in the order of their numbers, optional: 0 train, 1 validation, 2 test,
                     -1 none; read with `split: {kind: file}`
    trials.npy       (t,) int, -1 = none, optional       rates.npy     (t, u) float32 true rates, spikes a bin, optional
    floor_rates.npy  (t, u) float32, optional: the rates of a world without receptive fields, which a model must beat
    repeats.npy      (r, t, u) counts of r showings of repeat_stimulus.npy (t, h, w), optional; never trained on

units.csv, or Phy's and Kilosort's tables, tell of each unit (`unit_table.py`); read with `units: {file, quality}`.
Rows of all files but the last two belong to the same bins. Row t of behavior.npy was measured during bin t. Numbers may
have any type and byte order (`ablate.data.recording.held`). Whatever else lies in the folder is named,
and refused where its name is nearly one of these.
"""

import io
import math
from pathlib import Path
from typing import get_args

import numpy as np
from ruamel.yaml import YAML

from ablate.data.recording.array_file import map_array
from ablate.data.recording.check import check_numbers, check_shapes
from ablate.data.recording.held import a_label_a_bin, held, with_columns, with_unit_axis, without_what_never_counts
from ablate.data.recording.listing import HEADER, check_keys, unread_files
from ablate.data.recording.session import OPTIONAL, REPEATED, Recording, Signal
from ablate.data.recording.unit_table import write_unit_table
from ablate.disk.header import read_header
from ablate.disk.listing import visible
from ablate.disk.read import Json
from ablate.disk.whole import whole_folder
from ablate.errors import AblateError

MOST_BINS_PER_FRAME = 1000
SLOWEST_HZ, FASTEST_HZ = 0.1, 100_000  # bins of 10 s to 10 us; beyond that a length was written for a rate


def read_recording(folder: Path, *, max_frames: int | None = None, check_values: bool = True) -> Recording:
    """Opens a recording. Raises AblateError for anything that is not as the module's docstring says.

    check_values: also looks at every value (NaN, negative counts); without it only headers are read.
    """
    if not folder.is_dir():
        raise AblateError("no such folder", where=str(folder))
    if not visible(folder):
        hint = "a recording has recording.yaml, stimulus.npy and spikes.npy"
        raise AblateError("the folder is empty", where=str(folder), hint=hint)
    unread = unread_files(folder)
    notes = _read_header(folder)
    arrays = _arrays(folder, _bins_per_frame(notes.pop("bins_per_frame", 1), folder))
    names = tuple(str(name) for name in notes.pop("behavior_names", None) or ())
    recording = Recording(
        name=str(notes.pop("name", folder.name)),
        bin_rate_hz=float(notes.pop("bin_rate_hz")),
        behavior_names=names,
        signal=notes.pop("signal", "spikes"),
        notes=notes,
        unread=unread,
        **arrays,  # type: ignore[arg-type]  # by the names of their fields
    )
    check_shapes(recording, where=str(folder))
    recording = without_what_never_counts(recording.first(max_frames))
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
    with whole_folder(folder) as beside:
        for name, part in recording.arrays("stimulus", "spikes", *OPTIONAL, *REPEATED):
            np.save(beside / f"{name}.npy", part, allow_pickle=False)
        (beside / "recording.yaml").write_text(_header_text(recording), encoding="utf-8")
        if recording.unit_table:
            write_unit_table(beside, recording.unit_table)


def _arrays(folder: Path, bins_per_frame: int) -> dict[str, np.ndarray]:
    """Every array of the folder, with a row a bin. Frames that are shown for several bins are repeated, in memory."""
    listed = {one.name for one in visible(folder)}  # also a link that leads nowhere: it is told, not passed over
    there = [name for name in (*OPTIONAL, *REPEATED) if f"{name}.npy" in listed]
    arrays = {
        name: held(name, map_array(folder / f"{name}.npy"), str(folder)) for name in ("stimulus", "spikes", *there)
    }
    if "split" in arrays:
        arrays["split"] = a_label_a_bin(arrays["split"], arrays.get("trials"))
    if "behavior_valid" in arrays:
        arrays["behavior_valid"] = with_columns(arrays["behavior_valid"], arrays.get("behavior"))
    if "repeats" in arrays:
        arrays["repeats"] = with_unit_axis(arrays["repeats"])
    for name in ("stimulus", "repeat_stimulus"):
        if bins_per_frame > 1 and name in arrays:
            arrays[name] = np.repeat(arrays[name], bins_per_frame, axis=0)
    return arrays


# ------------------------------------------------------------------ the header


def _read_header(folder: Path) -> Json:
    header = read_header(folder / HEADER)
    check_keys(header, folder)
    check_rate(header.get("bin_rate_hz"), str(folder))
    name = header.get("name", folder.name)
    if isinstance(name, list | dict | bool) or name is None:
        raise AblateError(f"the recording's name must be text, not {name!r}", where=str(folder))
    if not str(name).strip():
        raise AblateError("the recording's name is empty", where=str(folder))
    if header.get("signal", "spikes") not in get_args(Signal):
        hint = f"write {' or '.join(get_args(Signal))}"
        raise AblateError(f"signal must be known, not {header['signal']!r:.40}", where=str(folder), hint=hint)
    if not isinstance(header.get("behavior_names") or [], list):
        raise AblateError("behavior_names must be a list of names", where=str(folder))
    return header


def _bins_per_frame(bins: object, folder: Path) -> int:
    if isinstance(bins, bool) or not isinstance(bins, int) or not 1 <= bins <= MOST_BINS_PER_FRAME:
        hint = "it counts the bins of spikes.npy in which one frame of stimulus.npy is shown: 4 for frames of 33 ms"
        what = f"bins_per_frame must be a whole number from 1 to {MOST_BINS_PER_FRAME}, not {bins!r:.40}"
        raise AblateError(what, where=str(folder), hint=f"{hint} and bins of 8.3 ms")
    return bins


def check_rate(rate: object, where: str) -> None:
    """Raises AblateError for what is no number of bins a second."""
    if rate is None:
        hint = "add `bin_rate_hz: 120` (bins a second) to recording.yaml"
        raise AblateError("recording.yaml has no bin_rate_hz", where=where, hint=hint)
    if isinstance(rate, bool) or not isinstance(rate, int | float) or not 0 < rate < math.inf:
        raise AblateError(f"bin_rate_hz must be a positive number, not {rate!r:.40}", where=where)
    if not SLOWEST_HZ <= rate <= FASTEST_HZ:
        hint = f"it counts bins a second; for bins of {rate:g} s write `bin_rate_hz: {1 / rate:g}`"
        what = f"bin_rate_hz: {rate:g} would make a bin last {1 / rate:.3g} s"
        raise AblateError(what, where=where, hint=hint if rate < 1 else "it counts bins a second")


def _header_text(recording: Recording) -> str:
    header: Json = {"name": recording.name, "bin_rate_hz": recording.bin_rate_hz}
    if recording.behavior_names:
        header["behavior_names"] = list(recording.behavior_names)
    if recording.signal != "spikes":
        header["signal"] = recording.signal
    text = io.StringIO()
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    yaml.dump({**header, **recording.notes}, text)
    return text.getvalue()
