import errno
import logging
import os
import random

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from ablate.errors import AblateError
from ablate.training import Checkpoints, checkpoint
from ablate.training.checkpoint import pack, unpack


def same(a, b):
    if isinstance(a, torch.Tensor):
        return isinstance(b, torch.Tensor) and a.dtype == b.dtype and a.shape == b.shape and a.equal(b)
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and np.array_equal(a, b)
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return type(a) is type(b) and len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and (a == b or a != a)


STATE = {
    "tensors": {
        "float": torch.randn(3, 2),
        "half": torch.randn(4).bfloat16(),
        "bytes": torch.get_rng_state(),
        "flag": torch.tensor([True, False]),
        "scalar": torch.tensor(3.0),
        "empty": torch.zeros(0, 3),
        "complex": torch.randn(2, dtype=torch.complex64),
        "strided": torch.arange(12).reshape(3, 4).T,
        "expanded": torch.ones(1).expand(3),
    },
    "optimizer": {0: {"step": torch.tensor(5.0)}, 1: {}},
    "numpy": np.random.get_state(),
    "generator": np.random.default_rng(1).bit_generator.state,
    "python": random.getstate(),
    "numbers": [1, 0.1, -float("inf"), 1e-300, True, None, "text", (1, (2,)), np.float64(0.1).item()],
    "$tensor": "a key that looks like a marker",
}


def test_every_kind_of_state_comes_back_as_it_was(tmp_path):
    checkpoints = Checkpoints(tmp_path / "run")
    checkpoints.save(7, STATE)
    assert same(checkpoints.load(), STATE)


@settings(max_examples=30, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.lists(inner, max_size=3).map(tuple)
            | st.dictionaries(st.text(max_size=8) | st.integers(), inner, max_size=3)
        ),
        max_leaves=6,
    )
)
def test_packing_is_undone_by_unpacking(value):
    tensors = {}
    assert same(unpack(pack(value, tensors), tensors), value)


def test_what_cannot_be_stored_is_refused():
    with pytest.raises(TypeError, match=r"cannot store object in a checkpoint \(state.a.0\)"):
        pack({"a": [object()]}, {})


def test_tensors_that_share_memory_are_stored_apart(tmp_path):
    tensor = torch.ones(4)
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save(1, {"a": tensor, "b": tensor, "part": tensor[:2]})
    assert same(checkpoints.load(), {"a": tensor, "b": tensor, "part": tensor[:2]})


def test_the_last_two_are_kept_and_the_newest_is_read(tmp_path):
    checkpoints = Checkpoints(tmp_path)
    for step in (1, 2, 30, 4_000):
        checkpoints.save(step, {"step": step})
    assert [int(path.name[5:14]) for path in checkpoints.paths()] == [30, 4_000]
    assert checkpoints.load() == {"step": 4_000}


def test_nothing_there_is_none(tmp_path):
    assert Checkpoints(tmp_path / "nowhere").load() is None
    assert not (tmp_path / "nowhere").exists()


def damage_by_flip(content):
    return content[: len(content) // 2] + bytes([content[len(content) // 2] ^ 1]) + content[len(content) // 2 + 1 :]


@pytest.mark.parametrize(
    "damage", [damage_by_flip, lambda c: c[:-1], lambda c: b"", lambda c: c + b"x", lambda c: b"\xff" * 8 + c[8:]]
)
def test_a_damaged_checkpoint_falls_back_to_the_one_before(tmp_path, damage, caplog):
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save(1, {"step": 1, "x": torch.ones(10)})
    newest = checkpoints.save(2, {"step": 2, "x": torch.ones(10)})
    newest.write_bytes(damage(newest.read_bytes()))
    with caplog.at_level(logging.WARNING):
        assert checkpoints.load()["step"] == 1
    assert "is damaged: falling back to the one before" in caplog.text
    for path in checkpoints.paths():
        path.write_bytes(b"")
    assert checkpoints.load() is None


def test_content_that_lies_under_a_right_hash_is_damaged_too(tmp_path):
    for content in (b"", b"\xff" * 64, (2**62).to_bytes(8, "little") + b"{}", (2).to_bytes(8, "little") + b"{}"):
        (tmp_path / f"step-000000001-{checkpoint._digest(content)}.safetensors").write_bytes(content)
    assert Checkpoints(tmp_path).load() is None


def test_a_file_left_half_written_is_never_read(tmp_path):
    checkpoints = Checkpoints(tmp_path)
    path = checkpoints.save(1, {"step": 1})
    path.rename(tmp_path / f".tmp-{path.name}-123")
    assert checkpoints.load() is None


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_full_disk_leaves_no_partial_file_and_the_old_checkpoint(tmp_path, monkeypatch, call):
    checkpoints = Checkpoints(tmp_path)
    checkpoints.save(1, {"step": 1})

    def full(*arguments):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, call, full)
        with pytest.raises(AblateError, match="cannot write a checkpoint: No space left on device"):
            checkpoints.save(2, {"step": 2})
    assert len(list(tmp_path.iterdir())) == 1
    assert checkpoints.load() == {"step": 1}


def test_a_folder_that_cannot_be_made_is_the_users_mistake(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(AblateError) as caught:
        Checkpoints(tmp_path / "file" / "run").save(1, {})
    assert caught.value.problems[0].where == str(tmp_path / "file" / "run")
    assert caught.value.problems[0].hint


def test_clearing_removes_the_folder_but_nothing_that_is_not_ours(tmp_path):
    mine, shared = Checkpoints(tmp_path / "mine"), Checkpoints(tmp_path / "shared")
    mine.save(1, {})
    shared.save(1, {})
    (tmp_path / "shared" / "notes.txt").write_text("keep")
    mine.clear()
    shared.clear()
    shared.clear()
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["notes.txt", "shared"]
