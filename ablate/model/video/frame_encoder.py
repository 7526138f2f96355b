"""A backbone for single images, run on every valid frame of a clip and on no pad.

    (b i f 3 h w) -> valid frames (v 3 h w) -> pixels as the backbone was trained -> (v s d) -> (b i f*s d)

s: tokens of a frame, one unless its patches are kept.

A frozen backbone stays frozen: evaluation mode whatever its parent does, no gradient, the same state before and after.
Its output is computed under `no_grad` (inference mode would break the backward pass of what follows) and cached by
content.
"""

import hashlib
from collections.abc import Callable
from itertools import chain

import numpy as np
import torch
from einops import rearrange, repeat
from jaxtyping import Bool, Float, Int, Shaped
from torch import Tensor, nn

from ablate.contract import VideoEncoder, frame_key
from ablate.disk.cache import cache_folder
from ablate.errors import AblateError
from ablate.model.layer.precision import full_precision
from ablate.model.video.cache.features import CACHE_HINT, FeatureCache
from ablate.model.video.pixels import Pixels

TRIES = 3  # another process may take a shard away (merge it) between two looks


class FrameEncoder(VideoEncoder):
    """The backbone with its pixels, its frozenness and its cache.

    backbone: (v, 3, h, w) -> (v, width), or (v, places, width). frames: f, of an interval. at_once: images of one
    forward pass, which bounds the memory. identity: names what weights do not (model name, pooling) in the cache's key.
    """

    def __init__(
        self,
        backbone: nn.Module,
        pixels: Pixels,
        *,
        width: int,
        frames: int,
        frozen: bool,
        cache: bool,
        at_once: int,
        identity: str,
        places: int = 1,
        shown: tuple[int, int] | None = None,
    ):
        """shown: height and width of the data's frames, to tell what becomes of them."""
        super().__init__()
        self.backbone, self.pixels, self.shown = backbone, pixels, shown
        self.width, self.frames, self.places, self.at_once = width, frames * places, places, at_once
        self.frozen, self.cached, self.identity = frozen, cache and frozen, identity
        self._may_keep = cache
        self._cache: FeatureCache | None = None
        self._cache_of: tuple[tuple[int, int], ...] = ()
        self.images_encoded = 0  # how often the backbone ran; a warm cache leaves it at zero
        self.watch: Callable[[int], None] = lambda images: None  # called after each forward pass of the backbone
        if frozen:
            backbone.requires_grad_(False).eval()

    def train(self, mode: bool = True) -> "FrameEncoder":
        super().train(mode)
        if self.frozen:
            self.backbone.eval()
        return self

    def kept_frozen(self) -> None:
        super().kept_frozen()
        self.cached = self._may_keep

    def token_mask(self, mask: Bool[Tensor, "b i f"]) -> Bool[Tensor, "b i f2"]:
        """The tokens of valid frames."""
        return repeat(mask, "b i f -> b i (f s)", s=self.places)

    def cost_notes(self) -> dict[str, str]:
        """What becomes of the frames, and how much is kept of each."""
        found = {}
        if self.shown is not None and self.shown != self.pixels.size:
            found["frames"] = self.pixels.tell(*self.shown)
        if self.places > 1:
            kept = f", {2e-6 * self.places * self.width:.2g} MB a frame in the cache" if self.cached else ""
            found["tokens"] = f"{self.places} patches a frame, {self.frames} tokens an interval{kept}"
        return found

    def remembered(
        self, mask: Bool[Tensor, "b i f"], keys: Int[Tensor, "b i f 2"] | None
    ) -> Float[Tensor, "b i f2 d"] | None:
        """The kept features of a batch; None where one of them is missing, or no key tells which they are."""
        if not self.cached or keys is None or mask.device.type == "meta":
            return None
        values, found = self.cache().get(keys[mask.to(keys.device)].cpu().numpy().view(np.uint64))
        return self._spread(torch.from_numpy(values).to(mask.device).float(), mask) if found.all() else None

    def _spread(self, features: Float[Tensor, "v sd"], mask: Bool[Tensor, "b i f"]) -> Float[Tensor, "b i f2 d"]:
        """Features of the valid frames in their places, zero in the pads."""
        out = torch.zeros(*mask.shape, features.shape[1], dtype=features.dtype, device=features.device)
        return self._tokens(out.masked_scatter(mask[..., None], features))

    def _tokens(self, features: Float[Tensor, "b i f sd"]) -> Float[Tensor, "b i f2 d"]:
        return rearrange(features, "b i f (s d) -> b i (f s) d", s=self.places)

    def forward(
        self, frames: Shaped[Tensor, "b i f 3 h w"], mask: Bool[Tensor, "b i f"], keys: Int[Tensor, "b i f 2"] | None
    ) -> Float[Tensor, "b i f2 d"]:
        if frames.device.type == "meta":  # shapes alone: every frame counts as valid
            features = self._pass(rearrange(frames, "b i f c h w -> (b i f) c h w"))
            return self._tokens(rearrange(features, "(b i f) d -> b i f d", b=mask.shape[0], i=mask.shape[1]))
        images = frames[mask]
        chosen = None if keys is None else keys[mask.to(keys.device)]
        features = self.look_up(images, chosen) if self.cached else self.encode(images)
        return self._spread(features, mask)

    def encode(self, images: Shaped[Tensor, "v 3 h w"]) -> Float[Tensor, "v sd"]:
        """The backbone's features, some images at a time; without gradient if it is frozen."""
        if len(images) == 0:
            return images.new_zeros(0, self.places * self.width, dtype=torch.float32)
        with torch.set_grad_enabled(torch.is_grad_enabled() and not self.frozen):
            return torch.cat([self._pass(some) for some in images.split(self.at_once)])

    def compile(self, *args: object, **options: object) -> None:
        """Compiles the backbone, for any number of images: batches differ in how many frames are there."""
        modes = {"max-autotune": "max-autotune-no-cudagraphs"}  # a graph would be recorded for every number of frames
        told = {name: modes.get(str(value), value) if name == "mode" else value for name, value in options.items()}
        self.backbone.compile(*args, **{"dynamic": True, **told})

    def _pass(self, images: Shaped[Tensor, "v 3 h w"]) -> Float[Tensor, "v sd"]:
        features: Tensor = self.backbone(self.pixels.prepare(images)).flatten(start_dim=1)
        self.images_encoded += len(images)
        self.watch(len(images))
        return features

    def look_up(self, images: Shaped[Tensor, "v 3 h w"], keys: Int[Tensor, "v 2"] | None) -> Float[Tensor, "v sd"]:
        """Cached features; what is missing is computed, in single precision whatever the run trains in: they are those
        of all runs. Found or not, they pass through float16, so that both are equal."""
        cache = self.cache()
        contents = content_keys(images) if keys is None else keys.cpu().numpy().view(np.uint64)
        values, found = cache.get(contents)
        for _ in range(TRIES):
            if found.all():
                return torch.from_numpy(values).to(images.device).float()
            different, first = np.unique(contents[~found], axis=0, return_index=True)
            places = torch.from_numpy(np.flatnonzero(~found)[first])
            for rows in cache.claims(different, self.at_once):
                chosen = images[places[torch.from_numpy(rows)].to(images.device)]
                with full_precision(images.device):
                    cache.put(different[rows], self.encode(chosen).half().cpu().numpy())
            values, found = cache.get(contents)
        raise AblateError(
            "features that were written cannot be read back",
            where=str(cache.folder),
            hint=f"{CACHE_HINT} on a local disk",
        )

    def cache(self) -> FeatureCache:
        """The cache of exactly these weights, pixels and pooling: another one once other weights were put in."""
        now = tuple((id(one), one._version) for one in chain(self.backbone.parameters(), self.backbone.buffers()))
        if self._cache is None or self._cache_of != now:
            content = hashlib.blake2b(
                repr((self.identity, self.pixels, self.width, self.places)).encode(), digest_size=16
            )
            for name, tensor in sorted(self.backbone.state_dict().items()):
                content.update(name.encode())
                content.update(tensor.detach().cpu().contiguous().numpy().tobytes())
            folder = cache_folder() / "features" / content.hexdigest()
            if self._cache is None or self._cache.folder != folder:
                self._cache = FeatureCache(folder, self.places * self.width)
            self._cache_of = now
        return self._cache


def content_keys(images: Shaped[Tensor, "v 3 h w"]) -> np.ndarray:
    """Keys (v, 2) of images by their bytes."""
    pixels = images.cpu().numpy()
    return np.array([frame_key(image) for image in pixels], dtype=np.uint64).reshape(len(images), 2)
