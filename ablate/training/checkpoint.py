"""Checkpoints of a run under way: one safetensors file each, written whole or not at all, verified when read.

`step-<step>-<hash>.safetensors` holds the tensors and, in its header, everything else as JSON; the name carries the
first 32 hex digits of the content's SHA-256. A file is written beside its place, synced, and moved in by one rename;
the last two are kept, and a damaged one falls back to the one before. Nothing is pickled: reading a checkpoint runs
no code.
"""

import hashlib
import json
import logging
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import numpy as np
import safetensors.torch
import torch
from torch import Tensor

from ablate.disk.read import Json
from ablate.disk.whole import BESIDE, whole_file
from ablate.errors import AblateError

KEPT = 2
NAME = re.compile(r"step-(\d{9})-([0-9a-f]{32})\.safetensors")

logger = logging.getLogger(__name__)


class Checkpoints:
    """The checkpoints of one run, in a folder of their own that is made when the first one is written."""

    def __init__(self, folder: Path | str):
        self.folder = Path(folder)

    def save(self, step: int, state: Mapping[str, object]) -> Path:
        """Writes the state after `step` steps. Raises AblateError when the disk is full or the folder not writable."""
        tensors: dict[str, Tensor] = {}
        header = {"state": json.dumps(pack(state, tensors))}
        content = safetensors.torch.save(tensors, metadata=header)
        path = self.folder / f"step-{step:09d}-{_digest(content)}.safetensors"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with whole_file(path) as file:
                file.write(content)
        except OSError as error:
            raise AblateError(
                f"cannot write a checkpoint: {error.strerror or error}",
                where=str(self.folder),
                hint="free some space or choose another results folder by `--out`, then start the same command again",
            ) from error
        for old in self.paths()[:-KEPT]:
            old.unlink(missing_ok=True)
        return path

    def load(self) -> Json | None:
        """The newest undamaged state, None where there is none."""
        for path in reversed(self.paths()):
            with suppress(OSError, ValueError, KeyError, TypeError, IndexError):
                return _read(path)
            logger.warning("checkpoint %s is damaged: falling back to the one before", path.name)
        return None

    def paths(self) -> list[Path]:
        """All checkpoints, oldest first."""
        found = self.folder.iterdir() if self.folder.is_dir() else ()
        return sorted(path for path in found if NAME.fullmatch(path.name))

    def clear(self) -> None:
        """Removes all checkpoints, and the folder if nothing else is in it. For when the run's record is in place."""
        for path in [*self.paths(), *self.folder.glob(f"{BESIDE}*")]:
            path.unlink(missing_ok=True)
        with suppress(OSError):
            self.folder.rmdir()


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:32]


def _read(path: Path) -> Json:
    """Raises ValueError when the content is not what was written."""
    content = path.read_bytes()
    match = NAME.fullmatch(path.name)
    if match is None or _digest(content) != match[2]:
        raise ValueError(f"{path.name} is damaged")
    length = int.from_bytes(content[:8], "little")
    header = json.loads(content[8 : 8 + length])
    state = unpack(json.loads(header["__metadata__"]["state"]), safetensors.torch.load(content))
    if not isinstance(state, dict):
        raise ValueError(f"{path.name} holds no state")
    return state


# ------------------------------------------------------------------ any nested state as JSON and named tensors


def pack(value: object, tensors: dict[str, Tensor], name: str = "state") -> object:
    """JSON of a nested state; its tensors and arrays go into `tensors` under the path that leads to them.

    Objects that JSON does not have become one-key dicts: $tensor, $array, $tuple, $items (a dict whose keys are not
    all plain text). Floats survive exactly, as do integers of any size.
    """
    if isinstance(value, Tensor):
        own = value.detach().to("cpu", copy=True).contiguous()  # safetensors refuses tensors that share memory
        tensors[name] = torch.view_as_real(own).contiguous() if own.is_complex() else own
        return {"$tensor": [name, own.is_complex()]}
    if isinstance(value, np.ndarray):
        tensors[name] = torch.from_numpy(np.frombuffer(value.tobytes(), dtype=np.uint8).copy())
        return {"$array": [name, value.dtype.str, list(value.shape)]}
    if isinstance(value, Mapping):
        packed = {key: pack(item, tensors, f"{name}.{key}") for key, item in value.items()}
        plain = all(isinstance(key, str) and not key.startswith("$") for key in packed)
        return packed if plain else {"$items": [[key, item] for key, item in packed.items()]}
    if isinstance(value, list | tuple):
        packed_items = [pack(item, tensors, f"{name}.{index}") for index, item in enumerate(value)]
        return {"$tuple": packed_items} if isinstance(value, tuple) else packed_items
    if isinstance(value, np.generic):
        return value.item()
    if value is None or isinstance(value, str | bool | int | float):
        return value
    raise TypeError(f"cannot store {type(value).__name__} in a checkpoint ({name})")


def unpack(value: object, tensors: Mapping[str, Tensor]) -> object:
    """The inverse of `pack`."""
    if isinstance(value, list):
        return [unpack(item, tensors) for item in value]
    if not isinstance(value, dict):
        return value
    if "$tensor" in value:
        name, is_complex = value["$tensor"]
        return torch.view_as_complex(tensors[name]) if is_complex else tensors[name]
    if "$array" in value:
        name, dtype, shape = value["$array"]
        return np.frombuffer(tensors[name].numpy().tobytes(), dtype=np.dtype(dtype)).reshape(shape).copy()
    if "$tuple" in value:
        return tuple(unpack(item, tensors) for item in value["$tuple"])
    if "$items" in value:
        return {key: unpack(item, tensors) for key, item in value["$items"]}
    return {key: unpack(item, tensors) for key, item in value.items()}
