"""`units.json` of a run: `{"metric": ..., "sessions": [{"name": ..., "entry": [...], "value": [...], ...}, ...]}`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, NotRequired

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError, with_config
from typing_extensions import TypedDict

from ablate.disk.read import Json, parse_json

Finite = Annotated[float, Field(allow_inf_nan=False)]
_LEAN = ConfigDict(extra="ignore", strict=True)


@with_config(_LEAN)
class _Session(TypedDict):
    name: str
    entry: list[int]
    value: list[Finite | None]
    blocks: NotRequired[list[Finite]]


@with_config(_LEAN)
class _Repeats(TypedDict):
    """As `SessionMeans`, which checks it."""

    name: object
    source: object
    bin_rate_hz: object
    showings: object
    bins: object
    mean: object


@with_config(_LEAN)
class _Content(TypedDict):
    sessions: list[_Session]
    repeats: NotRequired[list[_Repeats]]


_SCORES = TypeAdapter(_Content)


def parse_scores(data: bytes, where: Path | str) -> object:
    """The file's content without gains, weights, units and pictures of repeats, and numbers that were said: half of the
    time for a study of thousands of runs. Content of another form comes whole. Raises AblateError as `parse_json`."""
    try:
        return _SCORES.validate_json(data)
    except (ValidationError, RecursionError):
        return parse_json(data, where)


def unit_tables(content: object) -> Sequence[Json]:
    """The table of each session; none where the file is missing or holds no such thing."""
    sessions = content.get("sessions") if isinstance(content, Mapping) else None
    return sessions if isinstance(sessions, list) else ()
