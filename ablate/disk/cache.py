"""The one folder of everything that is made once and may be made again: worlds, features."""

import os
from pathlib import Path

from ablate.errors import AblateError

CACHE_VARIABLE = "ABLATE_CACHE"


def cache_folder() -> Path:
    """$ABLATE_CACHE, else `ablate` in the user's cache folder. Not created here. Raises AblateError without a home."""
    if named := os.environ.get(CACHE_VARIABLE):
        return Path(named)
    try:
        return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "ablate"
    except RuntimeError:  # a container whose user is in no list of users
        hint = f"name a folder for what is made once: {CACHE_VARIABLE}=FOLDER"
        raise AblateError("this user has no home folder", where=f"${CACHE_VARIABLE}", hint=hint) from None
