"""A library that only one format needs, imported where that is read."""

import importlib
from types import ModuleType

from ablate.errors import AblateError


def needed(module: str, extra: str) -> ModuleType:
    """The module. Raises AblateError, with what to install, where it is not there or does not import."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        hint = f"pip install 'ablate[{extra}]'"
        raise AblateError(f"these files are read by {module}, which does not import: {error}", hint=hint) from None
