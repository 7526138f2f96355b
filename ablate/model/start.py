"""Parts that start from a trained model instead of from a draw: `init: {path: ..., parts: [core], frozen: true}`.

path is a run's folder, what `ablate export` wrote, or a .safetensors file of either; the parts are called there as they
are here. A hash of the file is taken when the recipe is read and belongs to the run's key: other weights under the same
name are another run, and weights that change between reading and training are refused. A frozen part takes no gradient
and stays in evaluation mode, so a frozen core under new readouts is a patch like any other.
"""

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import ClassVar

import torch
from pydantic import Field, model_validator
from safetensors import SafetensorError, safe_open
from torch import nn

from ablate.config import Config
from ablate.contract import Model, VideoEncoder
from ablate.disk.digest import known_file_hash, refuse_another
from ablate.errors import AblateError

WEIGHTS = "weights.safetensors"
WHERE = "baseline.init"
SHOWN = 3
"""Names of tensors in a message."""


class StartConfig(Config):
    """Parts that start from a trained model."""

    location_fields: ClassVar[tuple[str, ...]] = ("path",)

    path: str
    """The folder of a run or of an export, or its weights.safetensors; relative to where ablate runs."""
    parts: tuple[str, ...] = Field(min_length=1)
    """Which parts, by the names of the cost table (`core`, `frontend`, `video`, `eeg`, ...). Parts of which every
    session has its own cannot be taken over."""
    frozen: bool = False
    """Keep them as they are: no gradient, no dropout, no statistics."""
    content: str = ""
    """Hash of the weights, filled in when the recipe is read; if written, other weights are refused."""

    @model_validator(mode="after")
    def _named_by_content(self) -> "StartConfig":
        if not self.content:
            object.__setattr__(self, "content", known_file_hash(weights_file(self.path)))  # frozen from here on
        return self

    def files_read(self) -> tuple[str, ...]:
        return (str(weights_file(self.path)),)


def weights_file(path: str) -> Path:
    """The file of tensors that a path leads to. Raises AblateError where there is none."""
    place = Path(path).expanduser()
    file = place / WEIGHTS if place.is_dir() else place
    if file.is_file():
        return file
    what = f"{path} holds no {WEIGHTS}" if place.is_dir() else f"there is no file or folder {path}"
    hint = "name results/STUDY/runs/KEY of a run that is done, a folder that `ablate export` wrote, or a .safetensors"
    raise AblateError(what, where=f"{WHERE}.path", hint=hint)


def prepare(model: Model, start: StartConfig | None) -> None:
    """What follows from the options alone: the parts are there, and those to be frozen are. Reads no numbers; compares
    shapes where the file is there, which a model that was trained already does not need.

    Raises AblateError for a part that the model or the file has not, and for tensors of other names or shapes.
    """
    if start is None:
        return
    parts = own_parts(model, start.parts)
    if start.frozen:
        for part in parts.values():
            keep_frozen(part)
            if isinstance(part, VideoEncoder):
                part.kept_frozen()
    try:
        file = weights_file(start.path)
    except AblateError:  # it is said when the model begins
        return
    with _opened(file) as held:
        shapes = {name: tuple(held.get_slice(name).get_shape()) for name in held.keys()}  # noqa: SIM118
    for name, part in parts.items():
        _compare(name, {key: tuple(value.shape) for key, value in part.state_dict().items()}, shapes, model, file)


def begin(model: Model, start: StartConfig | None) -> None:
    """Puts the weights in. Raises AblateError where the file is gone, or not the one that the recipe was read with."""
    if start is None:
        return
    file = weights_file(start.path)
    refuse_another(file, known_file_hash(file), start.content)
    parts = own_parts(model, start.parts)
    with _opened(file) as held, torch.no_grad():
        for part in parts.values():
            prefix = name_of(model, part)
            for name, value in part.state_dict().items():
                value.copy_(held.get_tensor(f"{prefix}.{name}"))


def own_parts(model: Model, names: tuple[str, ...]) -> dict[str, nn.Module]:
    """The modules of these parts. Raises AblateError for a name that the model has not, and for a module a session."""
    known = dict(model.parts())
    if (backbone := model.backbone()) is not None:
        known.setdefault("core", backbone)  # a core may list pieces of its own in its place
    found = {}
    for name in names:
        part = known.get(name)
        if part is None:
            hint = f"it has {', '.join(name for name, one in known.items() if isinstance(one, nn.Module))}"
            raise AblateError(f"the model has no part `{name}`", where=f"{WHERE}.parts", hint=hint)
        if not isinstance(part, nn.Module):
            what = f"every session has a `{name}` of its own, which belongs to its units"
            raise AblateError(what, where=f"{WHERE}.parts", hint=f"leave `{name}` out: it is trained anew")
        found[name] = part
    return found


def name_of(model: nn.Module, part: nn.Module) -> str:
    """Where a part lies in the model."""
    return next(name for name, module in model.named_modules() if module is part)


def keep_frozen(part: nn.Module) -> None:
    """No gradient, and evaluation mode whatever its parent is put into."""
    part.requires_grad_(False).eval()
    part.train = partial(_stays, part)  # type: ignore[method-assign]


def _stays(part: nn.Module, mode: bool = True) -> nn.Module:
    return part


def _opened(file: Path) -> safe_open:
    try:
        return safe_open(str(file), framework="pt", device="cpu")
    except (SafetensorError, OSError, ValueError) as error:
        hint = "weights of a run or an export, as `ablate run` and `ablate export` write them"
        raise AblateError(f"cannot be read: {error}", where=str(file), hint=hint) from error


def _compare(
    name: str, own: Mapping[str, tuple[int, ...]], held: Mapping[str, tuple[int, ...]], model: Model, file: Path
) -> None:
    """Raises AblateError where a part's tensors are not those of the file by name and shape."""
    prefix = name_of(model, own_parts(model, (name,))[name]) + "."
    there = {key.removeprefix(prefix): shape for key, shape in held.items() if key.startswith(prefix)}
    if own == there:
        return
    wrong = [f"{key} {there[key]} instead of {own[key]}" for key in own if key in there and there[key] != own[key]]
    parts = {
        "lacks": [key for key in own if key not in there],
        "has beside them": [key for key in there if key not in own],
        "has in another shape": wrong,
    }
    what = "; ".join(f"it {verb} {few(names)}" for verb, names in parts.items() if names)
    hint = f"the part must be built with the options that it had in {file.parent.name or file.name}"
    if not there:
        what = f"it holds no `{name}`, only {', '.join(sorted({key.split('.')[0] for key in held}))}"
    raise AblateError(f"{file} does not fit `{name}`: {what}", where=f"{WHERE}.path", hint=hint)


def few(names: list[str]) -> str:
    """The first of many names."""
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def told(start: StartConfig | None) -> dict[str, str]:
    """A note for the cost table."""
    if start is None:
        return {}
    place = Path(start.path)
    how = "frozen" if start.frozen else "trained on"
    return {"init": f"{', '.join(start.parts)} from {place.parent.name}/{place.name} ({start.content[:8]}), {how}"}
