"""Nothing in, every part that a recipe can name out: from what was kept of this very code, else from its classes.

The classes stand beside their modules, so that to ask them torch is loaded: 2.8 of 3.0 s of processor time.
"""

from pydantic import TypeAdapter

from ablate.catalogue import Part
from ablate.cli.console import loading
from ablate.disk.kept import kept

PARTS = TypeAdapter(tuple[Part, ...])


def catalogued() -> tuple[Part, ...]:
    """All parts, in the order of a configuration's fields."""
    return kept("parts.json", PARTS, _asked)


def _asked() -> tuple[Part, ...]:
    with loading():
        from ablate.recipe.vocabulary.catalogue import all_parts

    return all_parts()
