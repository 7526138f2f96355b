"""No two files of `ablate` import each other, by whatever way round: not inside functions, and not for types either."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

PACKAGE = Path(__file__).parents[1] / "ablate"


def modules_under(package: Path) -> dict[str, Path]:
    """Every module by its dotted name; a package is called as its folder."""
    files = {path: path.relative_to(package.parent).with_suffix("").parts for path in package.rglob("*.py")}
    return {".".join(parts[:-1] if parts[-1] == "__init__" else parts): path for path, parts in files.items()}


def imports_of(source: str, modules: dict[str, Path]) -> Iterator[str]:
    """The modules of this package that a file names in any `import`, wherever that stands."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in modules)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            for alias in node.names:
                found = [name for name in (f"{node.module}.{alias.name}", node.module) if name in modules]
                yield from found[:1]


def circles(package: Path) -> list[list[str]]:
    """The strongly connected components of more than one module, or of one that imports itself."""
    modules = modules_under(package)
    number = {name: index for index, name in enumerate(sorted(modules))}
    edges = {(number[name], number[to]) for name in number for to in imports_of(modules[name].read_text(), modules)}
    rows, columns = zip(*edges, strict=True)
    graph = coo_array(([1] * len(edges), (rows, columns)), shape=(len(number), len(number)))
    _, labels = connected_components(graph, directed=True, connection="strong")
    together: dict[int, list[str]] = {}
    for name, label in zip(number, labels, strict=True):
        together.setdefault(int(label), []).append(name)
    return [names for names in together.values() if len(names) > 1 or (number[names[0]],) * 2 in edges]


def test_no_file_imports_one_that_imports_it_by_any_way_round():
    assert len(modules_under(PACKAGE)) > 200
    assert circles(PACKAGE) == []


@pytest.mark.parametrize(
    "back",
    [
        "from house.a import A",
        "from house import a",
        "import house.a",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from house.a import A",
        "def late():\n    from house.a import A",
        "from house import b_part",
    ],
)
def test_a_planted_circle_is_found(tmp_path, back):
    files = {
        "__init__.py": "",
        "a.py": "import os\nfrom house.b import B\n",
        "b.py": f"from pathlib import Path\n{back}\n",
        "b_part.py": "from house.a import A\n",
        "c.py": "from house.a import A\nfrom house.b import B\n",
    }
    (tmp_path / "house").mkdir()
    for name, text in files.items():
        (tmp_path / "house" / name).write_text(text)
    (found,) = circles(tmp_path / "house")
    assert {"house.a", "house.b"} <= set(found) <= {"house.a", "house.b", "house.b_part"}


def test_a_file_that_imports_itself_is_found(tmp_path):
    (tmp_path / "house").mkdir()
    (tmp_path / "house" / "a.py").write_text("from house.a import A\n")
    assert circles(tmp_path / "house") == [["house.a"]]
