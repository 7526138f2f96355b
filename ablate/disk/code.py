"""Code by its source, without running it: this program's own as one hash, under which what follows from it alone is
kept and made again once it changes; and the files that a module of the user's is made of."""

import ast
import hashlib
import importlib.util
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from ablate.disk.digest import files_hash, text_hash
from ablate.disk.stamp import Look, look_of

PACKAGE = Path(__file__).parents[1]
INSTALLED = ("site-packages", "dist-packages")
"""Where everything lies beside everything: what a module imports there is another program."""


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


def source_hash(module: str) -> str:
    """Of the files of a module of the user's, and of the version of an installed one; empty where it is not found."""
    files = sources_of(module)
    hashed = files_hash(files)
    if not any(set(INSTALLED) & set(file.parts) for file in files):
        return hashed
    with suppress(PackageNotFoundError):
        return text_hash(f"{hashed} {version(module.partition('.')[0])}")
    return hashed


def sources_of(module: str) -> tuple[Path, ...]:
    """The file of a module and those that it imports beside it, in its package or in the same folder, and so on. Of
    what is installed its own file alone: its version tells the rest, and all of torch would be read for a layer of
    torch's. Of this program none, whose code is part of no run. Nothing is imported.
    """
    top = module.partition(".")[0]
    try:
        spec = importlib.util.find_spec(top)
    except (ImportError, ValueError):
        return ()
    folders = [] if spec is None else list(spec.submodule_search_locations or ())
    if spec is None or not (folders or spec.has_location):  # nowhere, or within Python itself
        return ()
    home = Path(folders[0]) if folders else Path(spec.origin or "").with_suffix("")
    found, todo = dict[str, Path](), [module]
    while todo:
        name = todo.pop()
        first, _, rest = name.partition(".")
        if name in found or first == PACKAGE.name or (home.parent.name in INSTALLED and name != module):
            continue
        place = (home if first == top else home.parent / first) / rest.replace(".", "/")
        files = (place.with_name(f"{place.name}.py"), place / "__init__.py")
        if file := next((one for one in files if one.is_file()), None):
            found[name] = file
            todo += _imports_of(file, name, look_of(file))
    return tuple(sorted(set(found.values())))


@lru_cache(maxsize=1024)
def _imports_of(file: Path, name: str, look: Look) -> tuple[str, ...]:
    """Names of modules, and of what may be one. Kept while the file is untouched."""
    try:
        tree = ast.parse(file.read_bytes())
    except (SyntaxError, ValueError):  # whoever imports it says so
        return ()
    package = name.split(".") if file.name == "__init__.py" else name.split(".")[:-1]
    return tuple(found for node in ast.walk(tree) for found in _imported(node, package))


def _imported(node: ast.AST, package: list[str]) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.level <= len(package) + (node.level == 0):
        above = package[: len(package) - node.level + 1] if node.level else []
        base = ".".join([*above, *([node.module] if node.module else [])])
        yield from (base, *(f"{base}.{alias.name}" for alias in node.names))
