"""meta.yaml of a native folder: takes the file, gives what all its trials share, each fault named."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from ablate.data.trials.layout.manifest.lines import read_text
from ablate.data.trials.layout.table import MICROVOLTS
from ablate.errors import AblateError, Problem

META_KEYS = ("eeg_rate_hz", "channel_names", "units", "interval_s")


@dataclass(frozen=True)
class Meta:
    """scale: to microvolts. notices: keys that are not read."""

    rate_hz: float
    channels: tuple[str, ...]
    scale: float
    interval_s: float
    notices: tuple[str, ...] = ()


def read_meta(file: Path) -> Meta:
    """Raises AblateError with everything that is wrong with it."""
    where, needed = str(file), f"it needs {', '.join(META_KEYS)}"
    text = read_text(file, "a folder of trials needs meta.yaml")
    try:
        meta = YAML(typ="safe").load(text)
    except YAMLError as error:
        raise AblateError(f"cannot be read: {type(error).__name__}", where=where, hint=needed) from error
    missing = [key for key in META_KEYS if not isinstance(meta, Mapping) or key not in meta]
    if missing:
        raise AblateError(f"without {', '.join(missing)}", where=where, hint=needed)
    problems = [
        *_number(meta, "eeg_rate_hz", "samples a second, as 500", where),
        *_number(meta, "interval_s", "seconds, as 2.0", where),
        *_names(meta["channel_names"], where),
    ]
    if str(meta["units"]) not in MICROVOLTS:
        problems.append(Problem(f"units `{meta['units']}` are unknown", where, f"one of {', '.join(MICROVOLTS)}"))
    if problems:
        raise AblateError(problems=tuple(problems))
    return Meta(
        float(meta["eeg_rate_hz"]),
        tuple(meta["channel_names"]),
        MICROVOLTS[str(meta["units"])],
        float(meta["interval_s"]),
        tuple(f"meta.yaml: the key `{key}` is not read" for key in meta if key not in META_KEYS),
    )


def _number(meta: Mapping[str, object], key: str, hint: str, where: str) -> list[Problem]:
    value = meta[key]
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < float("inf"):
        return []
    return [Problem(f"{key} is `{value}`, no number above zero", where, hint)]


def _names(names: object, where: str) -> list[Problem]:
    """Problems of the list of channels."""
    if not isinstance(names, list) or not names or not all(isinstance(name, str) and name.strip() for name in names):
        hint = "write a list: channel_names: [Fz, Cz, Pz]; names that YAML takes for something else need quotes"
        return [Problem(f"channel_names is `{names}`, no list of names", where, hint)]
    twice = sorted({name for name in names if names.count(name) > 1})
    return [Problem(f"channel_names has {', '.join(twice)} twice", where, "each channel once")] if twice else []
