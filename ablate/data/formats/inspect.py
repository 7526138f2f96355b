"""A path of unknown content in; what it is, what would be read of it, and the lines of a recipe that do so, out."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from ablate.data.formats.base import FormatConfig
from ablate.data.formats.kinds import KINDS, sessions_at
from ablate.data.formats.nwb.config import NwbConfig
from ablate.data.formats.nwb.draft import draft_lines
from ablate.data.recording import Recording, read_recording
from ablate.disk.header import as_scalar
from ablate.errors import AblateError

MOST = 5
"""Sessions that are named."""


@dataclass(frozen=True)
class Inspected:
    """lines: for people. readable: the first session can be read as it is."""

    kind: str
    lines: tuple[str, ...]
    readable: bool


def inspected(path: Path, sets: Sequence[str] = ()) -> Inspected:
    """Raises AblateError where nothing is there, or nothing that is known."""
    if (path / "recording.yaml").is_file():
        recording = read_recording(path)
        return Inspected("recordings", tuple(_ours(path, recording)), True)
    config = config_of(path, sets)
    places = config.places()
    head = [f"{path}: {KINDS[config.type][1]}"]
    head.append(f"{len(places)} session{'s' * (len(places) != 1)}: {_named(places)}")
    more = draft_lines(places[0]) if isinstance(config, NwbConfig) else []
    try:
        recording = config.checked(places[0])
    except AblateError as error:
        told = [f"cannot be read as it is: {one.what}{f' ({one.hint})' if one.hint else ''}" for one in error.problems]
        return Inspected(config.type, (*head, *more, *told, *_recipe(config, path)), False)
    lines = (*head, *more, *_told(recording), *_recipe(config, path))
    return Inspected(config.type, lines, True)


def config_of(path: Path, sets: Sequence[str] = ()) -> FormatConfig:
    """The settings of the format that lies at a path. sets: `axes=tyx`, or with `data.` before it."""
    if not path.exists():
        raise AblateError("there is no such file or folder", where=str(path))
    found = sessions_at(path)
    if found is None:
        known = "; ".join(words for _, words in KINDS.values())
        raise AblateError(
            "holds nothing that is known", where=str(path), hint=f"known are: {known}; or a recording.yaml"
        )
    kind, _ = found
    values: dict[str, object] = {"type": kind, "path": str(path)}
    for text in sets:
        key, sign, value = text.partition("=")
        if not sign:
            raise AblateError(f"`{text}` is no `key=value`", where="--set")
        try:
            values[key.strip().removeprefix("data.")] = YAML(typ="safe", pure=True).load(value)
        except YAMLError:
            raise AblateError(f"the value of `{key}` is not valid YAML", where="--set") from None
    try:
        return KINDS[kind][0].model_validate(values)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise AblateError(f"{'.'.join(map(str, first['loc']))}: {first['msg']}", where="--set") from None


def _told(recording: Recording) -> Iterator[str]:
    _, height, width = recording.stimulus.shape
    seconds = f"{recording.frames / recording.bin_rate_hz:.1f} s"
    yield (
        f"read as: {recording.frames} bins of {recording.bin_rate_hz:g} Hz ({seconds}), {height} x {width} pixels "
        f"{recording.stimulus.dtype}, {recording.units} units, {recording.signal}"
    )
    for name, word in (("read", "read"), ("inferred", "inferred"), ("not_used", "not used")):
        for line in recording.told(name):
            yield f"  {word}: {line}"


def _recipe(config: FormatConfig, path: Path) -> Iterator[str]:
    """What a recipe says to read it."""
    yield "in a recipe:"
    yield f"  data: {{type: {config.type}, path: {as_scalar(str(path))}}}" if not config.reader_options() else "  data:"
    if config.reader_options():
        yield f"    type: {config.type}"
        yield f"    path: {as_scalar(str(path))}"
        for name, value in config.reader_options().items():
            if name != "type":
                yield f"    {name}: {_plain(value)}"
    if config.metric != "bits_per_spike":
        yield f"  metric: {config.metric}"


def _plain(value: object) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_plain, value))}]"
    return as_scalar(value) if isinstance(value, str) else str(value)


def _ours(path: Path, recording: Recording) -> Iterator[str]:
    yield f"{path}: a recording of ablate's own form"
    yield from _told(recording)
    yield "`ablate data info` tells more"


def _named(places: Sequence[Path]) -> str:
    more = f" and {len(places) - MOST} more" if len(places) > MOST else ""
    return ", ".join(place.name for place in places[:MOST]) + more
