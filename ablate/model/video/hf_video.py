"""A pretrained video transformer of the package transformers (VideoMAE, ViViT), on each interval's frames.

    valid frames of an interval -> as many as the model was trained on (16, 32) -> (v t*s d) -> mean over places

VideoMAE: Tong et al. 2022, arXiv 2203.12602; ViViT: Arnab et al. 2021, arXiv 2103.15691. The rival of a frozen encoder
of single frames. Frames are taken evenly over the valid ones of an interval, the first and the last among them: where
there are more than the model takes some are left out, where there are fewer some come twice. Pixels are prepared as
preprocessor_config.json says. Needs the extra [hf]; features are not kept between steps.
"""

import json
from pathlib import Path
from typing import Any, Literal

import torch
from einops import rearrange, reduce, repeat
from jaxtyping import Bool, Float, Int, Shaped
from pydantic import Field, model_validator
from torch import Tensor, nn

from ablate.config import Config
from ablate.contract import VideoEncoder
from ablate.disk.digest import files_hash, refuse_another
from ablate.disk.read import Json
from ablate.errors import AblateError
from ablate.model.video.pixels import Pixels, require_pixels

KINDS = ("videomae", "vivit")
READ = ("config.json", "preprocessor_config.json", "model*.safetensors*", "pytorch_model*.bin*")
"""What is read of a folder: options, pixels, and weights, in one piece or several."""
USUAL = {
    "videomae": {"image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]},
    "vivit": {"image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]},
}
"""Of the processors that transformers has for the two, where a folder names none."""


class HfVideoConfig(Config):
    """A pretrained VideoMAE or ViViT of transformers, on each interval's frames."""

    type: Literal["hf_video"] = "hf_video"
    path: str
    """A folder that `save_pretrained` wrote, or a model's name on the hub (MCG-NJU/videomae-base)."""
    frozen: bool = True
    """Keep the weights as they are."""
    at_once: int = Field(default=4, ge=1, le=16_384)
    """Intervals of one forward pass; bounds the memory."""
    content: str = ""
    """Hash of what is read of a folder, filled in when the recipe is read: other weights, options or means of the
    pixels are another run."""

    @model_validator(mode="after")
    def _named_by_content(self) -> "HfVideoConfig":
        if not self.content:
            object.__setattr__(self, "content", content_of(Path(self.path)))  # frozen from here on
        return self

    def files_read(self) -> tuple[str, ...]:
        return (self.path,) if Path(self.path).is_dir() else ()

    def build(self, frame_shape: tuple[int, ...], intervals: int, frames: int) -> "HfVideo":
        """frame_shape: (3, h, w), any size. Raises AblateError for other models, and where there is none."""
        shown = require_pixels(frame_shape)
        if self.content and (now := content_of(Path(self.path))):
            refuse_another(Path(self.path), now, self.content)
        with torch.random.fork_rng(devices=[]):
            model, kind = _opened(self.path)
        return HfVideo(self, model, pixels_of(self.path, kind, int(model.config.image_size)), frames, shown)


class HfVideo(VideoEncoder):
    """(b, i, f, 3, h, w) to one token a time step of the model, (b, i, t, width); zero without any frame.

    model: of transformers, which gives its classes no types.
    """

    cached = False

    def __init__(self, config: HfVideoConfig, model: Any, pixels: Pixels, given: int, shown: tuple[int, int]):
        super().__init__()
        self.model, self.pixels, self.at_once, self.frozen = model, pixels, config.at_once, config.frozen
        self.given, self.shown, options = given, shown, model.config
        self.takes = int(options.num_frames)
        step = options.tubelet_size if isinstance(options.tubelet_size, int) else options.tubelet_size[0]
        self.width, self.frames = int(options.hidden_size), self.takes // int(step)
        if config.frozen:
            model.requires_grad_(False).eval()

    def train(self, mode: bool = True) -> "HfVideo":
        super().train(mode)
        if self.frozen:
            self.model.eval()
        return self

    def token_mask(self, mask: Bool[Tensor, "b i f"]) -> Bool[Tensor, "b i t"]:
        """All steps of an interval with any frame."""
        return repeat(mask.any(dim=2), "b i -> b i t", t=self.frames)

    def cost_notes(self) -> dict[str, str]:
        """What becomes of the frames."""
        how = f"the model takes {self.takes} an interval, evenly from those that are there (of at most {self.given})"
        return {"frames": f"{self.pixels.tell(*self.shown)}; {how}"}

    def forward(
        self, frames: Shaped[Tensor, "b i f 3 h w"], mask: Bool[Tensor, "b i f"], keys: Tensor | None
    ) -> Float[Tensor, "b i t d"]:
        valid = torch.ones_like(mask) if mask.device.type == "meta" else mask
        rows = rearrange(frames, "b i f c h w -> (b i) f c h w")
        there = rearrange(valid, "b i f -> (b i) f")
        if mask.device.type != "meta":
            some = there.any(dim=1)
            rows, there = rows[some], there[some]
        out = torch.zeros(*mask.shape[:2], self.frames, self.width, device=frames.device)
        if len(rows) == 0:
            return out
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.frozen):
            clips = zip(rows.split(self.at_once), there.split(self.at_once), strict=True)
            tokens = torch.cat([self._encode(clip, known) for clip, known in clips])
        if mask.device.type == "meta":
            return rearrange(tokens, "(b i) t d -> b i t d", b=mask.shape[0])
        return out.masked_scatter(mask.any(dim=2)[..., None, None], tokens.float())

    def _encode(self, clips: Shaped[Tensor, "v f 3 h w"], there: Bool[Tensor, "v f"]) -> Float[Tensor, "v t d"]:
        chosen = evenly(there, self.takes)
        index = rearrange(chosen, "v t -> v t 1 1 1").expand(-1, -1, *clips.shape[2:])
        taken = rearrange(clips.gather(1, index), "v t c h w -> (v t) c h w")
        given = rearrange(self.pixels.prepare(taken), "(v t) c h w -> v t c h w", t=self.takes)
        hidden: Tensor = self.model(given).last_hidden_state
        places = (hidden.shape[1] // self.frames) * self.frames
        return reduce(hidden[:, -places:], "v (t s) d -> v t d", "mean", t=self.frames)  # ViViT's class token is first


def content_of(folder: Path) -> str:
    """Empty of a name on the hub, which leads to no folder here."""
    return files_hash({file for pattern in READ for file in folder.glob(pattern)})


def evenly(there: Bool[Tensor, "v f"], count: int) -> Int[Tensor, "v t"]:
    """Which frames stand for an interval: `count` of the valid ones, evenly from the first to the last."""
    if there.device.type == "meta":
        return torch.zeros(len(there), count, dtype=torch.int64, device="meta")
    order = there.to(torch.int8).argsort(dim=1, descending=True, stable=True)  # valid ones first, in their order
    last = there.sum(dim=1, keepdim=True) - 1
    share = torch.linspace(0, 1, count, device=there.device)
    return order.gather(1, (share * last).round().long())


def _opened(path: str) -> tuple[Any, str]:
    """The model and its kind; on the meta device its shapes alone."""
    try:
        import transformers
    except ImportError as error:
        what = "video of type hf_video needs the package transformers"
        raise AblateError(what, where="baseline.video.type", hint="pip install 'ablate[hf]'") from error
    try:
        config = transformers.AutoConfig.from_pretrained(path)
    except (OSError, ValueError) as error:
        hint = "name a folder that save_pretrained wrote, or a model of the hub"
        what = f"there is no model at {path}: {str(error).splitlines()[0]}"
        raise AblateError(what, where="baseline.video.path", hint=hint) from error
    if config.model_type not in KINDS:
        what, hint = f"{path} is a {config.model_type}", f"hf_video reads {' and '.join(KINDS)}"
        raise AblateError(what, where="baseline.video.path", hint=hint)
    if torch.get_default_device().type == "meta":
        return transformers.AutoModel.from_config(config), config.model_type
    try:
        model: nn.Module = transformers.AutoModel.from_pretrained(path)
    except (OSError, ValueError, RuntimeError) as error:
        what = f"the weights of {path} cannot be read: {str(error).splitlines()[0]}"
        raise AblateError(what, where="baseline.video.path", hint="is model.safetensors beside config.json?") from error
    return model, config.model_type


def pixels_of(path: str, kind: str, size: int) -> Pixels:
    """As preprocessor_config.json says: y = (rescale_factor p - offset - mean) / std of pixels p of 0 to 255."""
    file = Path(path) / "preprocessor_config.json"
    told: Json = USUAL[kind] | (json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {})
    scale, offset = 255 * float(told.get("rescale_factor", 1 / 255)), float(bool(told.get("offset", False)))
    mean, std = ([float(value) for value in told[name]] for name in ("image_mean", "image_std"))
    means, stds = tuple((offset + value) / scale for value in mean), tuple(value / scale for value in std)
    shorter = told.get("size", {}).get("shortest_edge", size) if told.get("do_resize", True) else size
    return Pixels((size, size), means, stds, "center", size / shorter, "bilinear")  # type: ignore[arg-type]
