"""The same models by torch's own operations, as the formulas are written down: what `training_step.py` is held against.

No Winograd tiles, no convolution as one product over cells or stacked taps, no backward pass by closed forms.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from unittest.mock import patch

from ablate.model.layer.convolution import causal_conv, prepared
from ablate.model.layer.winograd import convolve
from ablate.model.modulator import convgru

SHORTCUTS = (
    (convgru, "recurrence_pays"),
    *((module, "winograd_pays") for module in (causal_conv, convolve)),
    (prepared, "few_cells"),
)


@contextmanager
def straightforward() -> Iterator[None]:
    """Every shortcut says that it does not pay."""
    with ExitStack() as stack:
        for module, asked in SHORTCUTS:
            stack.enter_context(patch.object(module, asked, lambda *_, **__: False))
        for way in ("by_stack", "by_taps"):
            stack.enter_context(patch.object(causal_conv.CausalConv3d, way, causal_conv.CausalConv3d.in_one))
        yield
