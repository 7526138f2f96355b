"""Hashes of texts and files."""

import hashlib
import os
from collections.abc import Collection
from functools import lru_cache
from pathlib import Path

from ablate.disk.stamp import Look, look_of
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
    return _known(path, look_of(path))


def files_hash(files: Collection[Path]) -> str:
    """Of several files by their content and by where they lie to each other; empty where there is none."""
    folder = os.path.commonpath([file.parent for file in files]) if files else ""
    named = [f"{file.relative_to(folder).as_posix()} {known_file_hash(file)}" for file in sorted(files)]
    return text_hash("\n".join(named)) if named else ""


def refuse_another(path: Path | str, now: str, content: str) -> None:
    """Raises AblateError where what lies somewhere is not that whose hash was taken when the recipe was read."""
    if now != content:
        what, hint = "is not what it was when the recipe was read", "start the study again"
        raise AblateError(what, where=str(path), hint=hint)


@lru_cache(maxsize=1024)
def _known(path: Path, look: Look) -> str:
    return file_hash(path)
