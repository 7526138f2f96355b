"""A run that cannot be read, and why: listed and counted as not yet run, never raised while a study is read."""

from dataclasses import dataclass

from pydantic import ValidationError

from ablate.errors import AblateError


@dataclass(frozen=True)
class Damaged:
    """key: of a run's folder, or the line of the pack (`records.jsonl:3`)."""

    key: str
    reason: str


def reason(error: Exception) -> str:
    """The first complaint of an error, in one line."""
    if isinstance(error, AblateError):
        return error.problems[0].what
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        return f"{place + ': ' if place else ''}{first['msg']}"
    return str(error)
