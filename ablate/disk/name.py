"""Names that are safe as those of files and folders."""

import re

from ablate.errors import AblateError

_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]{0,119}\Z")
_KEY = re.compile(r"[0-9a-f]{8,64}\Z")


def check_name(name: str, kind: str = "name") -> str:
    """A study's or variant's name that is safe as a folder's name. Raises AblateError; gives the name back."""
    if not _NAME.match(name):
        raise AblateError(
            f"{name[:80]!r} cannot be a {kind}",
            hint="use letters, digits and _ . + - (at most 120), beginning with a letter, a digit or _",
        )
    return name


def check_key(key: str) -> str:
    """A run's key: 8 to 64 hex digits, so that it can be a folder's name and no more. Raises AblateError."""
    if not _KEY.match(key):
        raise AblateError(f"{key[:80]!r} is no run key", hint="a key is 8 to 64 lower-case hex digits")
    return key
