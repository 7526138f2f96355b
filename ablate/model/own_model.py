"""A whole model of the user's own: `baseline: {type: import, target: package.module:Class, params: {...}}`.

The class is called as `Class(spec, **params)` and inherits from `ablate.contract.Model`: it gets the batches that our
models get, and is weighed, checked for causality and trained as they are. Patches reach into `params`.
"""

from ablate.contract import DataSpec, Model
from ablate.errors import AblateError
from ablate.model.layer.imported import Imported


class ImportedModel(Imported):
    """A whole model of the user's own."""

    def build(self, spec: DataSpec) -> Model:
        """Raises AblateError for the faults of the class, and where it is no `Model`."""
        made = self.made(spec)
        if isinstance(made, Model):
            return made
        raise AblateError(
            f"`{type(made).__name__}` does not inherit from Model",
            where="baseline",
            hint="`ablate.contract.Model` says what it is built with, takes and gives",
        )
