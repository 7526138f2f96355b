"""Torch's compiler, left where it is while shapes are worked out: 900 modules and .6 s of processor time.

Operations on the meta device are written in Python, and torch keeps its compiler from tracing them by asking the
compiler for that at the first call of each, for which it is loaded. It has traced nothing if it is not loaded, so that
they are answered in its place; afterwards everything is as it was, and the first to compile loads it. Rests on
`torch._compile`, where torch asks: if that changes, the compiler is loaded as before.
"""

import importlib
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType

COMPILER = "torch._dynamo"
KEPT = "__dynamo_disable"
"""Where torch keeps the answer, on the function itself."""


class _StandIn(ModuleType):
    """Answers that a function stays as it is; for anything else the compiler is loaded."""

    def __init__(self) -> None:
        super().__init__(COMPILER)
        self.answered: list[object] = []

    def disable(self, fn: Callable[..., object], *args: object, **kwargs: object) -> object:
        if sys.modules.get(COMPILER) is not self:  # somebody kept the stand-in
            return importlib.import_module(COMPILER).disable(fn, *args, **kwargs)
        self.answered.append(fn)
        return fn

    def __getattr__(self, name: str) -> object:
        if name.startswith("__") and name != "__path__":  # `inspect` asks every module that is there for its file
            raise AttributeError(name)
        self.step_aside()
        return getattr(importlib.import_module(COMPILER), name)  # what a module holds is asked for by name

    def step_aside(self) -> None:
        """Nothing is left of it."""
        if sys.modules.get(COMPILER) is self:
            del sys.modules[COMPILER]
        for fn in self.answered:
            vars(fn).pop(KEPT, None)
        self.answered.clear()


@contextmanager
def uncompiled() -> Iterator[None]:
    """Within it the compiler is loaded only if something is asked of it. Nothing happens where it is loaded already."""
    if COMPILER in sys.modules:
        yield
        return
    stand_in = _StandIn()
    sys.modules[COMPILER] = stand_in
    try:
        yield
    finally:
        stand_in.step_aside()
