"""What a lab's array must be before anything is computed from it: numbers, on so many axes, none of them empty.

numpy and torch turn text, dates and complex values into floats where they are asked to, some with a warning and some
without: what is none of the plain numbers is refused here, with its place.
"""

import numpy as np

from ablate.errors import AblateError

PLAIN = "buif"
"""Kinds of dtype: yes and no, whole numbers with and without a sign, and floats."""
TIMES = "uif"


def numbers(values: object, where: str, axes: str, *, kinds: str = PLAIN, empty: bool = False) -> np.ndarray:
    """The array. axes: "(t, n)". empty: whether it may hold nothing. Raises AblateError for other axes and types."""
    array = np.asarray(values)
    if array.dtype.kind not in kinds or array.ndim != axes.count(",") + 1 - axes.count(",)"):
        raise AblateError(f"must be numbers with axes {axes}, not {array.dtype} of shape {array.shape}", where=where)
    if not array.size and not empty:
        raise AblateError(f"is empty, shape {array.shape}", where=where)
    return array
