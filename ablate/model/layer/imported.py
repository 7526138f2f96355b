"""A user's own part, by name: `{type: import, target: package.module:Class, params: {...}}`.

The class is called as `Class(<what build of that kind of part gets>, **params)` and inherits from that kind in
`ablate.contract`. Code is imported when the part is built, never when a recipe is read: then a hash of its source is
taken, which belongs to the run's key.
"""

import importlib
import os
import re
from typing import Any, ClassVar, Literal, TypeVar

import torch
from pydantic import Field, field_validator, model_validator
from torch import nn

from ablate.config import Config
from ablate.contract import Part
from ablate.disk.code import source_hash, sources_of
from ablate.disk.digest import refuse_another
from ablate.errors import AblateError

Kind = TypeVar("Kind", bound=Part)

TARGET = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")

_seen: dict[str, str] = {}
"""Module -> hash of its source when it was first asked for here."""


class Imported(Config):
    """A class of the user's own, with its arguments."""

    type: Literal["import"] = "import"
    target: str
    """Where the class lives: `package.module:Class`."""
    params: dict[str, Any] = Field(default_factory=dict)
    """Keyword arguments of the class."""
    content: str = ""
    """Hash of the source of its module and of what that imports beside it, filled in when the recipe is read: other
    code is another run."""

    @field_validator("target")
    @classmethod
    def _names_a_class(cls, target: str) -> str:
        if not TARGET.fullmatch(target):
            raise ValueError("write the target as package.module:Class")
        return target

    @model_validator(mode="after")
    def _named_by_content(self) -> "Imported":
        if not self.content:
            object.__setattr__(self, "content", source_hash(self.module))  # frozen from here on
        return self

    @property
    def module(self) -> str:
        return self.target.partition(":")[0]

    def files_read(self) -> tuple[str, ...]:
        return tuple(os.path.relpath(file) for file in sources_of(self.module))

    def refuse_changes(self) -> None:
        if now := source_hash(self.module):  # where there is none, importing it says so
            refuse_another(self.target, now, self.content)

    def made(self, *given: object) -> nn.Module:
        """The user's module. Raises AblateError for its faults, and where Python holds its source of before."""
        part, now = load_class(self.target), source_hash(self.module)
        if _seen.setdefault(self.module, now) != now:
            hint = "start Python again: what it has imported, it keeps"
            raise AblateError("has changed since this Python imported it", where=self.target, hint=hint)
        try:
            return part(*given, **self.params)
        except (AblateError, MemoryError, torch.OutOfMemoryError):
            raise
        except Exception as fault:
            if isinstance(fault, RuntimeError) and torch.get_default_device().type == "meta":
                raise  # it needs numbers, which tensors on the meta device lack: the caller builds it on the CPU
            raise AblateError(
                f"`{part.__name__}` cannot be built: {type(fault).__name__}: {fault}",
                where=self.target,
                hint="it is called as Class(<what build of this kind of part gets>, **params), see ablate/contract",
            ) from fault


class ImportedPart(Imported):
    """A class of the user's own."""

    needs_media: ClassVar[bool] = True
    """A fusion of one's own looks at the video; read of fusions alone."""

    def build(self, *given: object) -> Any:
        """Called with what this kind of part is built from: of any type, until `kept` has looked."""
        return self.made(*given)


def kept(part: nn.Module, kind: type[Kind]) -> Kind:
    """The part, if it is of this kind and says what that must say. Raises AblateError if a user's own does not."""
    name = type(part).__name__
    hint = f"`ablate.contract.{kind.__name__}` says what it is built with, takes and gives"
    if not isinstance(part, kind):
        raise AblateError(f"`{name}` does not inherit from {kind.__name__}", where="baseline", hint=hint)
    for needed in kind.needs:
        if not hasattr(part, needed):  # promised by the kind, but a user's own may have forgotten to set it
            raise AblateError(f"`{name}` has no attribute `{needed}`", where="baseline", hint=hint)
    return part


def load_class(target: str) -> type[nn.Module]:
    """The class that `target` names. Raises AblateError if there is none, or if it is no `nn.Module`."""
    module_name, _, class_path = target.partition(":")
    found = _import(module_name, target)
    for name in class_path.split("."):
        if not hasattr(found, name):  # a module or class of the user's, known by its name alone
            raise AblateError(
                f"`{module_name}` has no `{class_path}`",
                where=target,
                hint="the part after the colon is the name of the class",
            )
        found = getattr(found, name)  # the same
    if not (isinstance(found, type) and issubclass(found, nn.Module)):
        raise AblateError(
            f"`{class_path}` is not a subclass of torch.nn.Module",
            where=target,
            hint="a part is a class; see its kind in ablate/contract",
        )
    return found


def _import(module_name: str, target: str) -> Any:
    """The module; whatever goes wrong while it is imported is the user's to fix, so it comes as one message."""
    try:
        return importlib.import_module(module_name)
    except Exception as error:
        raise AblateError(
            f"cannot import `{module_name}`: {type(error).__name__}: {error}",
            where=target,
            hint="the module must be importable from the folder where ablate is run (set PYTHONPATH, or install it)",
        ) from error
