"""Which units the recipe leaves out, and why: they keep their numbers, and count nowhere."""

import difflib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float

from ablate.data.encoding.config import UnitsConfig
from ablate.data.recording import Recording
from ablate.data.recording.unit_list import listed_units
from ablate.data.recording.unit_table import TABLES, UnitTable, read_unit_table
from ablate.errors import AblateError

QUALITY = ("quality", "group", "KSLabel", "label")
"""Columns that tell how well a unit is isolated: NWB's word, Phy's, Kilosort's, and the plain one."""


@dataclass(frozen=True)
class Told:
    """What files say of one recording's units. listed: those of `units.file`. labels: of each unit."""

    listed: tuple[int, ...] | None = None
    labels: tuple[str, ...] | None = None


def told_of(recordings: Sequence[Recording], folders: Sequence[Path], config: UnitsConfig) -> tuple[Told, ...]:
    """Reads the list and the tables that the recipe asks for. Raises AblateError for what is not there or not known."""
    if config.file is None and config.quality is None:
        return tuple(Told() for _ in recordings)
    found = []
    for recording, folder in zip(recordings, folders, strict=True):
        table = read_unit_table(folder, recording.units)
        path = None if config.file is None else _list_file(config.file, folder)
        listed = None if path is None else listed_units(path, recording.name, recording.units, table)
        labels = None if config.quality is None else _labels(recording.name, table, config.quality_column)
        found.append(Told(listed, labels))
    known = Counter(label for one in found for label in one.labels or ())
    wanted = config.quality or ()
    for label in wanted:
        near = difflib.get_close_matches(label, known, n=1)
        # Of several labels one may well be rare: refused is what nothing has, and what is nearly another label.
        if label not in known and (near or not known.keys() & {*wanted}):
            told = ", ".join(f"{name} ({count})" for name, count in known.most_common())
            hint = f"did you mean `{near[0]}`? " if near else ""
            what = f"no unit is labelled `{label}`"
            raise AblateError(what, where="data.units.quality", hint=f"{hint}labels are {told}")
    return tuple(found)


def _list_file(name: str, folder: Path) -> Path:
    """From the working directory, or else one in each recording's folder."""
    for path in (Path(name).expanduser(), folder / name):
        if path.is_file():
            return path
    hint = "it is looked for from the working directory, then in each recording's folder"
    raise AblateError(f"there is no list {name}", where="data.units.file", hint=hint)


def _labels(name: str, table: UnitTable, column: str | None) -> tuple[str, ...]:
    if column is None:
        there = [one for one in QUALITY if one in table]
        if len(there) > 1:
            hint = f"write `quality_column: {there[0]}`"
            raise AblateError(f"{name} has labels in {' and '.join(there)}", where="data.units.quality", hint=hint)
        column = there[0] if there else QUALITY[0]
    if column not in table:
        near = difflib.get_close_matches(column, table, n=1)
        told = f"its table has {', '.join(table)}" if table else f"none of {', '.join(TABLES)} lies there"
        hint = f"did you mean `{near[0]}`?" if near else "name one by `quality_column`" if table else ""
        raise AblateError(
            f"{name} has no column `{column}` of its units: {told}", where="data.units.quality", hint=hint
        )
    return table[column]


def reasons_against(
    recording: Recording, mean_rate: Float[np.ndarray, " u"], config: UnitsConfig, told: Told
) -> tuple[str, ...]:
    """Why each unit is not used, the first reason that holds; empty where it is. mean_rate: spikes a bin in train.

    Raises AblateError for a number that no unit has, and where no unit is left.
    """
    if config.only is not None and max(config.only) >= recording.units:
        what = f"{recording.name} has {recording.units} units, numbered from 0; there is no unit {max(config.only)}"
        raise AblateError(what, where="data.units.only")
    found = tuple(
        _reason(unit, float(rate) * recording.bin_rate_hz, config, told) for unit, rate in enumerate(mean_rate)
    )
    if all(found):
        highest = float(mean_rate.max()) * recording.bin_rate_hz
        why = ", ".join(f"{count} {reason}" for reason, count in Counter(found).most_common())
        hint = f"{why}; its most active unit fires {highest:.3g} spikes a second in train"
        raise AblateError(f"no unit of {recording.name} is left", where="data.units", hint=hint)
    return found


def _reason(unit: int, rate_hz: float, config: UnitsConfig, told: Told) -> str:
    if config.only is not None and unit not in config.only:
        return "not asked for (data.units.only)"
    if told.listed is not None and unit not in told.listed:
        return f"not listed in {Path(config.file or '').name} (data.units.file)"
    if told.labels is not None and told.labels[unit] not in (config.quality or ()):
        return f"labelled {told.labels[unit] or 'nothing'} (data.units.quality)"
    if rate_hz < config.min_rate_hz:
        return f"below {config.min_rate_hz:g} Hz in train (data.units.min_rate_hz)"
    return ""
