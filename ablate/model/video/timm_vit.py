"""Any image model of timm as frame encoder, for example CLIP's ViT-B/16 as the notes recommend.

Pin the tag: `vit_base_patch16_clip_quickgelu_224.openai`, since a name without tag is another set of weights, and
OpenAI's need QuickGELU. Pixels are resized, cropped and normalised as the model's own data configuration says. Weights
are read into the model as it was trained; how a frame's tokens are pooled is changed after that (`reset_classifier`).
timm is imported where a model of it is built: with torchvision and torch's compiler it takes longer than all the rest.
"""

from contextlib import suppress
from copy import deepcopy
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import torch
from einops import rearrange
from jaxtyping import Float
from pydantic import Field, model_validator
from torch import Tensor, nn

from ablate.config import Config
from ablate.disk.digest import known_file_hash, refuse_another
from ablate.disk.read import Json
from ablate.errors import AblateError
from ablate.model.video.checkpoint import load_weights
from ablate.model.video.frame_encoder import FrameEncoder, Pixels
from ablate.model.video.pixels import require_pixels

CLIP_B16 = "vit_base_patch16_clip_quickgelu_224.openai"
Pool = Literal["token", "avg", "map", "patches"]


class TimmConfig(Config):
    """A timm model by name and tag."""

    type: Literal["timm"] = "timm"
    name: str = CLIP_B16
    """timm's name with its tag."""
    weights: str = "hub"
    """`hub` fetches the tag's weights, `random` draws them, anything else is a local .safetensors or .pt file."""
    pool: Pool = "token"
    """What stands for a frame: the class token, the mean of the patch tokens (or of a convolutional map), the model's
    own attention pool (SigLIP), or all patch tokens (or cells of the map), which the compressor then reads."""
    image_size: int | None = Field(default=None, ge=16, le=1024)
    """Rows and columns of the pictures that the model is given, for transformers: position tables are resized. null:
    those that it was trained with."""
    frozen: bool = True
    """Keep the weights as they are; features are then computed once and cached."""
    cache: bool = True
    """Keep the features of a frozen model on disk, by content, for all variants and seeds."""
    at_once: int = Field(default=32, ge=1, le=16_384)
    """Images of one forward pass; bounds the memory."""
    weights_seed: int = 0
    """Draws random weights."""
    content: str = ""
    """Hash of a local file of weights, filled in when the recipe is read: other weights under its name are another
    run."""

    @model_validator(mode="after")
    def _named_by_content(self) -> "TimmConfig":
        local = self.weights not in ("hub", "random") and Path(self.weights).is_file()
        if local and not self.content:  # a file that is not there is said when the model is built
            object.__setattr__(self, "content", known_file_hash(Path(self.weights)))  # frozen from here on
        return self

    def files_read(self) -> tuple[str, ...]:
        return (self.weights,) if Path(self.weights).is_file() else ()

    def build(self, frame_shape: tuple[int, ...], intervals: int, frames: int) -> FrameEncoder:
        """frame_shape: (3, h, w) of the data, any size. frames: f."""
        import timm

        shown = require_pixels(frame_shape)
        meta = torch.get_default_device().type == "meta"  # only shapes and counts are wanted
        backbone = deepcopy(_shapes_of(self)) if meta else self._backbone()
        named = backbone.model if isinstance(backbone, PatchTokens) else backbone
        data: Json = timm.data.resolve_model_data_config(named)
        if self.image_size is not None:
            data["input_size"] = (3, self.image_size, self.image_size)
        pixels = Pixels.of_timm(data)
        places, width = _tokens_of(self, pixels.size)
        return FrameEncoder(
            backbone,
            pixels,
            width=width,
            frames=frames,
            frozen=self.frozen,
            cache=self.cache,
            at_once=self.at_once,
            identity=f"timm {timm.__version__} {self.name} {self.pool}",  # the size is in the pixels
            places=places,
            shown=shown,
        )

    def _backbone(self) -> nn.Module:
        """The model with its weights. Raises AblateError for an unknown name, a missing file, or one that does not
        fit."""
        import timm

        meta = torch.get_default_device().type == "meta"
        if self.pool not in pools_of(self.name):
            has = pools_of(self.name)
            hint = f"it has `pool: {'`, `pool: '.join(has)}`"
            raise AblateError(f"`{self.name}` has no `pool: {self.pool}`", where="baseline.video.pool", hint=hint)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.weights_seed)
            # `Any` here and below: timm's models have attributes of their own, and no type in common.
            sized: Any = {} if self.image_size is None else {"img_size": self.image_size}
            try:
                pretrained = self.weights == "hub" and not meta
                model: Any = timm.create_model(self.name, pretrained=pretrained, num_classes=0, **sized)
            except TypeError as error:
                what = f"`{self.name}` cannot be made for pictures of another size"
                hint = "leave `image_size` out"
                raise AblateError(what, where="baseline.video.image_size", hint=hint) from error
            except OSError as error:
                raise AblateError(
                    f"the weights of `{self.name}` cannot be fetched: {error}",
                    where="baseline.video.weights",
                    hint="set `weights` to a local checkpoint file of that model, or to `random`",
                ) from error
        if self.weights not in ("hub", "random") and not meta:
            file = Path(self.weights)
            if self.content and file.is_file():
                refuse_another(file, known_file_hash(file), self.content)
            load_weights(model, file)
        if self.pool == "patches":
            with suppress(AssertionError):  # a model that cannot do without its pool keeps it, unused
                model.reset_classifier(0, "")
            return PatchTokens(model)
        model.reset_classifier(0, self.pool)
        return model


class PatchTokens(nn.Module):
    """All patch tokens of a transformer, or all cells of a convolutional map, row by row."""

    def __init__(self, model: Any):
        super().__init__()
        self.model = model

    def forward(self, images: Float[Tensor, "v 3 h w"]) -> Float[Tensor, "v s d"]:
        tokens: Tensor = self.model.forward_features(images)
        if tokens.ndim == 3:  # what timm's models say of their tokens, each family as much as it needs
            has_class_token = getattr(self.model, "cls_token", None) is not None
            return tokens[:, getattr(self.model, "num_prefix_tokens", int(has_class_token)) :]
        last = getattr(self.model, "output_fmt", "NCHW") == "NHWC"
        return rearrange(tokens, "v h w d -> v (h w) d" if last else "v d h w -> v (h w) d")


@lru_cache(maxsize=8)
def _tokens_of(config: TimmConfig, size: tuple[int, int]) -> tuple[int, int]:
    """Tokens of a frame, and their width."""
    with torch.device("meta"), torch.no_grad():
        shape = _shapes_of(config).eval()(torch.zeros(1, 3, *size)).shape
    if config.pool != "patches":
        return 1, shape[1]
    if shape[1] < 2:
        what = f"`{config.name}` gives no patch tokens"
        raise AblateError(what, where="baseline.video.pool", hint="choose another `pool`")
    return shape[1], shape[2]


@lru_cache(maxsize=4)
def _shapes_of(config: TimmConfig) -> nn.Module:
    """The model on the meta device. Drawing weights that do not exist takes timm a second, and a study has many
    variants."""
    with torch.device("meta"):
        return config._backbone()


@lru_cache(maxsize=32)
def pools_of(name: str) -> tuple[Pool, ...]:
    """The ways of pooling that a model has; an attention pool that timm would draw at random is none. Raises
    AblateError for a name that timm does not know."""
    import timm

    with torch.device("meta"):
        try:
            own: Any = timm.create_model(name, num_classes=0)
        except RuntimeError as error:
            hint = f"see timm.list_models(pretrained=True); the notes use {CLIP_B16}"
            raise AblateError(f"timm cannot make `{name}`: {error}", where="baseline.video.name", hint=hint) from error
    found: list[Pool] = []
    for pool in ("token", "avg"):
        with suppress(AssertionError, TypeError), torch.device("meta"):
            timm.create_model(name, num_classes=0, global_pool=pool)
            found.append(pool)
    # A model without an attention pool of its own has none, or has it as None.
    return (*found, *(("map",) if getattr(own, "attn_pool", None) is not None else ()), "patches")
