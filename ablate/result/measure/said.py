"""What a run said of numbers that it was to predict, a few hundred of them: stored with a run, drawn by reports."""

from pydantic import ValidationError

from ablate.config import Config


class Said(Config):
    """One target on the test split. value: what was rated; mean, sd: of the Gaussian that was predicted; each at the
    same place, in the target's own unit. of: how many there are, of which these are an even share."""

    name: str
    of: int
    value: tuple[float, ...]
    mean: tuple[float, ...]
    sd: tuple[float, ...]


def read_said(content: object) -> tuple[Said, ...]:
    """From the content of `units.json`; empty where a run has none, or where they are damaged."""
    held = content.get("numbers") if isinstance(content, dict) else None
    if not isinstance(held, list):
        return ()
    try:
        found = tuple(Said.model_validate(one, strict=False) for one in held)
    except (ValidationError, RecursionError):
        return ()
    return found if all(len(one.value) == len(one.mean) == len(one.sd) for one in found) else ()
