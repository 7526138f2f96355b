"""Nothing in, every part that a recipe can name out: from what was kept of this very code, else from its classes.

The classes stand beside their modules, so that to ask them torch is loaded: 2.8 of 3.0 s of processor time.
"""

from contextlib import suppress
from pathlib import Path

from pydantic import BaseModel, ValidationError

from ablate.catalogue import Part
from ablate.cli.console import stage
from ablate.disk.cache import cache_folder
from ablate.disk.code import code_hash
from ablate.disk.read import read_if_there
from ablate.disk.whole import write_bytes
from ablate.errors import AblateError


class Kept(BaseModel):
    """code: the hash of the code that these are the parts of."""

    code: str
    parts: tuple[Part, ...]


def catalogued() -> tuple[Part, ...]:
    """All parts, in the order of a configuration's fields."""
    place, code = cache_folder() / "parts.json", code_hash()
    kept = _read(place)
    if kept is None or kept.code != code:
        stage("loading torch")
        from ablate.recipe.vocabulary.catalogue import all_parts

        kept = Kept(code=code, parts=all_parts())
        _write(place, kept)
    return kept.parts


def _read(place: Path) -> Kept | None:
    """None where there is nothing, or nothing that can be read: it is made again."""
    with suppress(AblateError, ValidationError):
        data = read_if_there(place)
        return None if data is None else Kept.model_validate_json(data)
    return None


def _write(place: Path, kept: Kept) -> None:
    """Nothing is said where the folder cannot be written: it takes longer next time too."""
    with suppress(AblateError, OSError):
        place.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(place, kept.model_dump_json().encode())
