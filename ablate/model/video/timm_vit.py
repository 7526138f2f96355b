"""Any image model of timm as frame encoder, for example CLIP's ViT-B/16 as the notes recommend.

Pin the tag: `vit_base_patch16_clip_quickgelu_224.openai`, since a name without tag is another set of weights, and
OpenAI's need QuickGELU. Pixels are resized and normalised as the model's own data configuration says.
"""

from contextlib import suppress
from copy import deepcopy
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal, get_args

import timm
import torch
from pydantic import Field
from torch import nn

from ablate.config import Config
from ablate.errors import AblateError
from ablate.model.video.checkpoint import load_weights
from ablate.model.video.frame_encoder import FrameEncoder, Pixels
from ablate.model.video.pixels import require_pixels

CLIP_B16 = "vit_base_patch16_clip_quickgelu_224.openai"
Pool = Literal["token", "avg", "map"]
POOLS: tuple[Pool, ...] = get_args(Pool)


class TimmConfig(Config):
    """A timm model by name and tag."""

    type: Literal["timm"] = "timm"
    name: str = CLIP_B16
    """timm's name with its tag."""
    weights: str = "hub"
    """`hub` fetches the tag's weights, `random` draws them, anything else is a local .safetensors or .pt file."""
    pool: Pool = "token"
    """What stands for a frame: the class token, the mean of the patch tokens (or of a convolutional map), or the
    model's own attention pool (SigLIP)."""
    frozen: bool = True
    """Keep the weights as they are; features are then computed once and cached."""
    cache: bool = True
    """Keep the features of a frozen model on disk, by content, for all variants and seeds."""
    at_once: int = Field(default=32, ge=1, le=16_384)
    """Images of one forward pass; bounds the memory."""
    weights_seed: int = 0
    """Draws random weights."""

    def build(self, frame_shape: tuple[int, ...], intervals: int, frames: int) -> FrameEncoder:
        """frame_shape: (3, h, w) of the data, any size. frames: f."""
        require_pixels(frame_shape)
        meta = torch.get_default_device().type == "meta"  # only shapes and counts are wanted
        backbone = deepcopy(_shapes_of(self)) if meta else self._backbone()
        data: dict[str, Any] = timm.data.resolve_model_data_config(backbone)
        pixels = Pixels(tuple(data["input_size"][1:]), tuple(data["mean"]), tuple(data["std"]))
        return FrameEncoder(
            backbone,
            pixels,
            width=int(backbone.num_features),  # type: ignore[arg-type]
            frames=frames,
            frozen=self.frozen,
            cache=self.cache,
            at_once=self.at_once,
            identity=f"timm {timm.__version__} {self.name} {self.pool}",
        )

    def _backbone(self) -> nn.Module:
        """The model with its weights. Raises AblateError for an unknown name, a missing file, or one that does not
        fit."""
        meta = torch.get_default_device().type == "meta"
        if self.pool == "map" and "map" not in pools_of(self.name):
            raise self._without_pool()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.weights_seed)
            try:
                model = timm.create_model(
                    self.name, pretrained=self.weights == "hub" and not meta, num_classes=0, global_pool=self.pool
                )
            except RuntimeError as error:
                raise AblateError(
                    f"timm cannot make `{self.name}`: {error}",
                    where="baseline.video.name",
                    hint=f"see timm.list_models(pretrained=True); the notes use {CLIP_B16}",
                ) from error
            except (AssertionError, TypeError) as error:  # how timm says that it has no such pooling
                raise self._without_pool() from error
            except OSError as error:
                raise AblateError(
                    f"the weights of `{self.name}` cannot be fetched: {error}",
                    where="baseline.video.weights",
                    hint="set `weights` to a local checkpoint file of that model, or to `random`",
                ) from error
        if self.weights not in ("hub", "random") and not meta:
            load_weights(model, Path(self.weights))
        return model

    def _without_pool(self) -> AblateError:
        has = pools_of(self.name)
        what, hint = f"`{self.name}` has no `pool: {self.pool}`", f"it has `pool: {'`, `pool: '.join(has)}`"
        return AblateError(what, where="baseline.video.pool", hint=hint if has else "choose another model")


@lru_cache(maxsize=4)
def _shapes_of(config: TimmConfig) -> nn.Module:
    """The model on the meta device. Drawing weights that do not exist takes timm a second, and a study has many
    variants."""
    return config._backbone()


def pools_of(name: str) -> tuple[Pool, ...]:
    """The ways of pooling that a model has. An attention pool that timm would draw at random is none."""
    found: list[Pool] = []
    for pool in POOLS:
        with suppress(AssertionError, TypeError), torch.device("meta"):
            own: Any = timm.create_model(name, num_classes=0, global_pool=None if pool == "map" else pool)
            # A model without an attention pool of its own has none, or has it as None.
            if pool != "map" or getattr(own, "attn_pool", None) is not None:
                found.append(pool)
    return tuple(found)
