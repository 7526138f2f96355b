"""What follows from the code alone, and from what its name tells: kept in the cache folder, and made again once a
source file or a package has changed."""

from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from pydantic import BaseModel, TypeAdapter, ValidationError

from ablate.disk.cache import cache_folder
from ablate.disk.code import code_hash
from ablate.disk.read import read_if_there
from ablate.disk.whole import write_bytes
from ablate.errors import AblateError

T = TypeVar("T")


class Kept(BaseModel):
    """code: the hash of the code that the value follows from."""

    code: str
    value: object


def kept(name: str, form: TypeAdapter[T], make: Callable[[], T]) -> T:
    """What lies in the file of that name, where this very code wrote it; else what is made now, which then lies there.

    Nothing is said of a file that cannot be read or written: it takes as long next time too.
    """
    place, code = cache_folder() / name, code_hash()
    with suppress(AblateError, ValidationError):
        found = Kept.model_validate_json(read_if_there(place) or b"")
        if found.code == code:
            return form.validate_python(found.value)
    made = make()
    with suppress(AblateError, OSError):
        place.parent.mkdir(parents=True, exist_ok=True)
        write_bytes(place, Kept(code=code, value=form.dump_python(made, mode="json")).model_dump_json().encode())
    return made
