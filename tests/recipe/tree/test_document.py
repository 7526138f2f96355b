"""YAML in, values with lines out; nothing that a stranger writes is executed or blows up."""

import math
from pathlib import Path

import pytest

from ablate.errors import AblateError, Problems
from ablate.recipe.tree.document import MAX_BYTES, parse, read_text
from ablate.recipe.tree.node import Node


def message(text: str) -> str:
    with pytest.raises(AblateError) as caught:
        tree(text)
    return str(caught.value)


def tree(text: str) -> Node:
    """The tree of a text. Raises AblateError with all that is wrong with it."""
    problems = Problems()
    root = parse(text, "x.yaml", problems)
    problems.refuse()
    return root


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("off", "off"),
        ("no", "no"),
        ("yes", "yes"),
        ("on", "on"),
        ("true", True),
        ("1e-3", 0.001),
        ("1.5e3", 1500.0),
        ("3e4", 30000),
        ("010", 10),
        ("0x10", 16),
        ("0o17", 15),
        ("1_000", "1_000"),
        ("12:30", "12:30"),
        ("2026-01-01", "2026-01-01"),
        ("~", None),
        ("", None),
        ("'8'", "8"),
        ("-.inf", -math.inf),
    ],
)
def test_scalars_follow_yaml_1_2(written, read):
    value = tree(f"a: {written}\n").plain()["a"]
    assert value == read
    assert type(value) is type(read)


def test_every_key_knows_its_line_and_its_path():
    root = tree("a: 1\nb:\n  c:\n    - x\n    - y\n")
    assert root.get("b").get("c").where == "x.yaml:3"
    assert root.get("b").get("c").path == "b.c"
    assert root.get("b").get("c").value[1].where == "x.yaml:5"


def test_an_alias_is_told_where_it_is_used():
    root = tree("a: &x {c: 1}\nb: *x\n")
    assert root.plain() == {"a": {"c": 1}, "b": {"c": 1}}
    assert root.get("b").get("c").path == "b.c"


def test_all_duplicate_keys_are_told_at_once():
    assert message("a: 1\na: 2\nb: {c: 1, c: 2}\n") == (
        "error: x.yaml:2: `a` is written twice (first on line 1)\n\nhint: keep one of the two\n\n"
        "error: x.yaml:3: `b.c` is written twice (first on line 3)\n\nhint: keep one of the two"
    )


def test_a_tag_is_refused_and_nothing_is_made_of_it():
    assert message("a: !!python/object/apply:os.system ['true']\n").startswith(
        "error: x.yaml:1: the tag `tag:yaml.org,2002:python/object/apply:os.system` is not read"
    )


def test_a_bomb_of_aliases_is_refused_before_it_is_expanded():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12)]
    assert "the file expands to more than 100000 values" in message("\n".join(lines))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "x.yaml: the file is empty"),
        ("# only a comment\n", "x.yaml: the file is empty"),
        ("- a\n- b\n", "x.yaml: the top level is a list, expected a mapping"),
        ("words\n", "x.yaml: the top level is the text `words`, expected a mapping"),
        ("a: 1\n---\nb: 2\n", "x.yaml:2: a second document starts here"),
        ("a: [1, 2\n", "x.yaml:2: this is not YAML: "),
        ("\ta: 1\n", "x.yaml:1: this is not YAML: "),
        ("a: *b\n", "x.yaml:1: the alias `*b` has no anchor `&b` before it"),
        ("a: 1\n<<: {b: 1}\n", "x.yaml:2: merge keys (`<<`) are not part of YAML 1.2"),
        ("? [a]\n: 1\n", "x.yaml:1: a key must be a word"),
        ("a: " + "[" * 60, "x.yaml:1: more than 40 levels of nesting"),
        ("a: " + "9" * 5000, "x.yaml:1: this number is too large"),
        ("a: &a [*a]\n", "x.yaml:1: the alias `*a` has no anchor `&a` before it"),
    ],
)
def test_what_is_no_recipe_is_told_in_one_line(text, told):
    assert message(text).startswith(f"error: {told}")


def test_a_missing_file_a_folder_bytes_and_a_giant_are_told(tmp_path: Path):
    (tmp_path / "b.yaml").write_bytes(b"\xff\xfe\x00\x01")
    (tmp_path / "big.yaml").write_text("a: 1\n" + "#" * MAX_BYTES)
    told = {"none.yaml": "no such file", ".": "this is not a file", "b.yaml": "this is not a text file in UTF-8"}
    for name, what in {**told, "big.yaml": "the file is larger than 512 KiB"}.items():
        with pytest.raises(AblateError, match=what):
            read_text(tmp_path / name)
    with pytest.raises(AblateError, match=r"no such file|cannot be read"):
        read_text(Path("a\0b"))


def test_a_file_that_may_not_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    path = tmp_path / "x.yaml"
    path.write_text("a: 1\n")

    def refuse(self):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    with pytest.raises(AblateError, match=r"x\.yaml: cannot be read \(Permission denied\)"):
        read_text(path)


def test_a_byte_order_mark_is_no_part_of_the_first_key(tmp_path: Path):
    path = tmp_path / "x.yaml"
    path.write_bytes(b"\xef\xbb\xbfa: 1\n")
    assert tree(read_text(path)).plain() == {"a": 1}
