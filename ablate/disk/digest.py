"""Hashes of texts and files."""

import hashlib
from functools import lru_cache
from pathlib import Path

from ablate.errors import AblateError

KEY_CHARACTERS = 20
"""80 bits: a million runs collide with a chance below 1e-12, and a folder's name stays readable."""


def text_hash(text: str) -> str:
    """20 hex characters of a text."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass")).hexdigest()[:KEY_CHARACTERS]


def file_hash(path: Path) -> str:
    """blake2b of a file's bytes, 64 hex characters, read in pieces."""
    digest = hashlib.blake2b(digest_size=32)
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            digest.update(piece)
    return digest.hexdigest()


def known_file_hash(path: Path) -> str:
    """`file_hash`, kept while the file is untouched: of a file of weights, every variant asks."""
    facts = path.stat()
    return _known(path, facts.st_size, facts.st_mtime_ns)


def refuse_another(path: Path, content: str) -> None:
    """Raises AblateError where a file of weights is not the one whose hash was taken when the recipe was read."""
    if known_file_hash(path) != content:
        what, hint = "is not the file that it was when the recipe was read", "start the study again"
        raise AblateError(what, where=str(path), hint=hint)


@lru_cache(maxsize=64)
def _known(path: Path, size: int, changed: int) -> str:
    return file_hash(path)
