"""Things that are linked, directly or through others: their groups."""

import numpy as np
from jaxtyping import Int


def linked_groups(
    source: Int[np.ndarray, " links"], target: Int[np.ndarray, " links"], count: int
) -> Int[np.ndarray, " things"]:
    """The group of each of `count` things, from 0."""
    from scipy.sparse import coo_array  # most of a second that every command would wait for
    from scipy.sparse.csgraph import connected_components

    links = coo_array((np.ones(len(source), bool), (source, target)), shape=(count, count))
    _, group = connected_components(links, directed=False)
    return np.asarray(group)
