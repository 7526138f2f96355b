"""A tree and a patch's fragment in, the patched tree out.

Mappings are merged deep and lists replaced whole. A fragment that sets a different `type` replaces that part whole.
Null removes the key, so that the default comes back.
"""

from dataclasses import replace

from ablate.recipe.tree.node import Node


def merge(base: Node, fragment: Node) -> Node:
    """The base with the fragment laid over it; every value keeps its place, a mapping takes that of its last change."""
    if not (base.is_mapping and fragment.is_mapping):
        return without_nulls(fragment)
    if replaces(base, fragment):
        return without_nulls(fragment)
    entries = dict(base.value)
    for key, value in fragment.value.items():
        if value.value is None:
            entries.pop(key, None)
        elif key in entries:
            entries[key] = merge(entries[key], value)
        else:
            entries[key] = without_nulls(value)
    return Node(entries, fragment.where, base.path)


def replaces(base: Node, fragment: Node) -> bool:
    """Whether a fragment names another part than the one that stands there."""
    written, standing = fragment.get("type"), base.get("type")
    return written is not None and written.value is not None and (standing is None or written.value != standing.value)


def without_nulls(node: Node) -> Node:
    if not node.is_mapping:
        return node
    kept = {key: without_nulls(value) for key, value in node.value.items() if value.value is not None}
    return replace(node, value=kept)
