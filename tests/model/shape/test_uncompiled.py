"""While shapes are worked out torch's compiler is left alone; who asks something of it gets it, and nothing stays."""

import sys
from types import ModuleType, SimpleNamespace

import pytest
import torch

from ablate.model.shape import uncompiled as module
from ablate.model.shape.uncompiled import COMPILER, KEPT, uncompiled


@pytest.fixture(autouse=True)
def _not_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, COMPILER, raising=False)
    monkeypatch.delattr(torch, "_dynamo", raising=False)


@pytest.fixture
def compiler(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """What is imported where the compiler is."""
    real = ModuleType(COMPILER)
    vars(real).update(reset=object(), disable=lambda fn, *_, **__: ("disabled", fn), __path__=["here"])

    def load(name: str) -> ModuleType:
        monkeypatch.setitem(sys.modules, name, real)
        return real

    monkeypatch.setattr(module, "importlib", SimpleNamespace(import_module=load))
    return real


def plain() -> int:
    return 7


def test_a_function_that_torch_keeps_from_the_compiler_runs_as_it_is_and_keeps_no_trace():
    asking = torch._disable_dynamo(plain)
    with uncompiled(), uncompiled():
        assert asking() == asking() == 7
        assert KEPT in vars(plain)  # else torch would ask elsewhere, and load it
    assert COMPILER not in sys.modules
    assert KEPT not in vars(plain)


def test_an_error_within_leaves_nothing():
    def fail() -> None:
        raise ValueError("within")

    with pytest.raises(ValueError, match="within"), uncompiled():
        torch._disable_dynamo(fail)()
    assert COMPILER not in sys.modules
    assert KEPT not in vars(fail)


@pytest.mark.parametrize("name", ["reset", "__path__"])  # a module in it is looked for by its path
def test_who_asks_for_something_else_gets_the_compiler(compiler: ModuleType, name: str):
    with uncompiled():
        torch._disable_dynamo(plain)()
        stand_in = sys.modules[COMPILER]
        assert getattr(stand_in, name) is vars(compiler)[name]
        assert sys.modules[COMPILER] is compiler
        assert KEPT not in vars(plain)
    assert sys.modules[COMPILER] is compiler
    assert stand_in.disable(plain) == ("disabled", plain)  # somebody kept the stand-in


def test_who_goes_through_all_modules_loads_nothing(compiler: ModuleType):
    with uncompiled():
        assert not hasattr(sys.modules[COMPILER], "__file__")
        assert sys.modules[COMPILER] is not compiler


def test_a_compiler_that_is_loaded_is_left_in_its_place(compiler: ModuleType, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setitem(sys.modules, COMPILER, compiler)
    with uncompiled():
        assert sys.modules[COMPILER] is compiler
