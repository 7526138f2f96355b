"""The code that runs, as one hash: what follows from it alone is kept under that, and made again once it changes."""

import hashlib
import os
import sys
from pathlib import Path

PACKAGE = Path(__file__).parents[1]


def code_hash(package: Path = PACKAGE) -> str:
    """Every source file of this package, the version of every package that is installed, and Python's; 20 hex
    characters. By content: a file that was put back with an older time is another file.
    """
    digest = hashlib.blake2b(sys.version.encode(), digest_size=10)
    for file in sorted(package.rglob("*.py")):
        content = file.read_bytes()
        digest.update(f"{file.relative_to(package)}\0{len(content)}\0".encode())
        digest.update(content)
    installed = {name for place in sys.path for name in _installed(place)}  # by whatever way Python was started
    digest.update("\0".join(sorted(installed)).encode("utf-8", "surrogatepass"))
    return digest.hexdigest()


def _installed(place: str) -> list[str]:
    """Names with versions, as `torch-2.8.0.dist-info`, but for this package; none where the place is no folder."""
    try:
        names = os.listdir(place or ".")
    except OSError:
        return []
    return [name for name in names if name.endswith((".dist-info", ".egg-info")) and not name.startswith("ablate")]
