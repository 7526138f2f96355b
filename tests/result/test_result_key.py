"""A run's key depends on what the run is, and on nothing else."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ablate.config import Config, non_default
from ablate.disk.digest import file_hash
from ablate.errors import AblateError
from ablate.result import canonical_json, content_key

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


class Old(Config):
    type: str = "core"
    width: int = 8


class New(Old):
    dropout: float = 0.0


def test_the_key_of_a_known_configuration_never_changes():
    configuration = {"model": {"type": "encoder", "width": 64}, "training": {"rate": 1e-3}}
    assert content_key(configuration, 0, "abc") == "921bda470e45a9f585df"


def test_a_new_option_at_its_default_leaves_the_key_as_it_was():
    assert content_key(non_default(Old(width=4)), 0, "x") == content_key(non_default(New(width=4)), 0, "x")
    assert content_key(non_default(New(width=4, dropout=0.1)), 0, "x") != content_key(non_default(New(width=4)), 0, "x")


def test_the_order_of_fields_and_the_spelling_of_numbers_do_not_matter():
    assert content_key({"a": 1e3, "b": (1, 2)}, 0, "x") == content_key({"b": [1.0, 2], "a": 1000}, 0, "x")


@pytest.mark.parametrize(
    "other", [({"a": 2}, 0, "x"), ({"a": 1}, 1, "x"), ({"a": 1}, 0, "y"), ({"a": True}, 0, "x"), ({"a": "1"}, 0, "x")]
)
def test_configuration_seed_and_data_all_count(other):
    assert content_key(*other) != content_key({"a": 1}, 0, "x")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object(), {1, 2}])
def test_what_has_no_one_spelling_is_refused(value):
    with pytest.raises(AblateError, match="a configuration cannot hold"):
        canonical_json({"a": value})


def test_a_configuration_nested_without_end_is_refused():
    deep: list = []
    for _ in range(20_000):
        deep = [deep]
    with pytest.raises(AblateError, match="nested too deep"):
        canonical_json(deep)


@given(VALUES)
def test_canonical_json_keeps_the_value_and_is_its_own_canonical_form(value):
    text = canonical_json(value)
    assert json.loads(text) == json.loads(json.dumps(value))
    assert canonical_json(json.loads(text)) == text


def test_a_file_has_the_hash_of_its_bytes(tmp_path):
    import hashlib

    (tmp_path / "a").write_bytes(b"x" * 3_000_000)
    assert file_hash(tmp_path / "a") == hashlib.blake2b(b"x" * 3_000_000, digest_size=32).hexdigest()
