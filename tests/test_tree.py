"""The tree stays one that a person can read: short files, folders of few, each opened by a sentence, few `Any`."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "ablate"
MOST_LINES, MOST_FILES, MOST_ANY = 320, 12, 60


def faults(package: Path) -> list[str]:
    """What is too long, too full, or without its first sentence."""
    found = []
    for path in sorted(package.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        if text.count("\n") > MOST_LINES:
            found.append(f"{path.name} has {text.count(chr(10))} lines")
        if ast.get_docstring(ast.parse(text)) is None:
            found.append(f"{path.name} does not say what it is")
    for folder in sorted({path.parent for path in package.rglob("*.py")}):
        files = [path for path in folder.glob("*.py") if path.name != "__init__.py"]
        if len(files) > MOST_FILES:
            found.append(f"{folder.name} holds {len(files)} files")
        if not (folder / "__init__.py").is_file():
            found.append(f"{folder.name} has no __init__.py")
    return found


def test_no_file_is_long_no_folder_is_full_and_each_says_what_it_is():
    assert faults(PACKAGE) == []


def test_any_stands_in_few_places():
    """A library without types, or what a comment at the place says."""
    lines = {
        (path, node.lineno)
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Name) and node.id == "Any"
    }
    assert 0 < len(lines) < MOST_ANY


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({"a.py": '"""A."""\n' + "x = 1\n" * MOST_LINES}, "a.py has 321 lines"),
        ({"a.py": "x = 1\n"}, "a.py does not say what it is"),
        ({f"a{number}.py": '"""A."""\n' for number in range(13)}, "house holds 13 files"),
    ],
)
def test_what_is_planted_is_found(tmp_path, files, told):
    (tmp_path / "house").mkdir()
    for name, text in {"__init__.py": '"""A house."""\n', **files}.items():
        (tmp_path / "house" / name).write_text(text)
    assert faults(tmp_path / "house") == [told]
