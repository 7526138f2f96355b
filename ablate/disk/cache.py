"""The one folder of everything that is made once and may be made again: worlds, features."""

import os
from pathlib import Path

CACHE_VARIABLE = "ABLATE_CACHE"


def cache_folder() -> Path:
    """$ABLATE_CACHE, else `ablate` in the user's cache folder. Not created here."""
    if named := os.environ.get(CACHE_VARIABLE):
        return Path(named)
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "ablate"
