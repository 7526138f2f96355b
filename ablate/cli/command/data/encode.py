"""Every frame through the frozen frame encoders of a recipe, once, into their caches."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ablate.cli.command.data.recipe import recipe_of
from ablate.cli.console import say
from ablate.contract import Batch
from ablate.errors import AblateError
from ablate.model.video.frame_encoder import FrameEncoder
from ablate.recipe import Configuration
from ablate.result import canonical_json
from ablate.study.train import build_model, open_data
from ablate.training import pick_device
from ablate.variant import lay_out

ROWS = 32
"""Clips that go through a frozen encoder at once."""


def make_features(recipe: Path, *, sets: Sequence[str], data: Path | None, device: str) -> int:
    """Every frame through every frozen encoder of the recipe's variants, once. Raises AblateError if none."""
    layout = lay_out(recipe_of(recipe, sets, data))
    chosen = pick_device(device)
    seen: set[str] = set()
    for variant in layout.variants:
        configuration = variant.configuration
        video = getattr(configuration.model, "video", None)
        if video is None:
            continue
        told = canonical_json([video.model_dump(mode="json"), configuration.data.model_dump(mode="json")])
        if told not in seen:
            seen.add(told)
            encode(configuration, variant.name, chosen)
    if not encoded(seen, layout.variants):
        raise AblateError(
            "no variant of this recipe has a frozen frame encoder whose features are kept",
            where=str(recipe),
            hint="`baseline.video: {type: timm, frozen: true, cache: true}` is one",
        )
    return 0


def encoded(seen: set[str], variants: Sequence[Any]) -> bool:
    """Whether any variant keeps features."""
    return any(keeps_features(variant.configuration) for variant in variants) and bool(seen)


def keeps_features(configuration: Configuration) -> bool:
    video = getattr(configuration.model, "video", None)
    return bool(getattr(video, "frozen", False) and getattr(video, "cache", False))


def encode(configuration: Configuration, name: str, device: torch.device) -> None:
    """Fills the cache of one configuration's encoder."""
    if not keeps_features(configuration):
        return
    dataset = open_data(configuration, device)
    model = build_model(configuration, dataset, 0, device)
    encoder = encoder_of(model)
    if encoder is None:  # `fusion: none` looks at no frame
        return
    with torch.no_grad():
        for split in ("train", "validation", "test"):
            for batch in every_batch(dataset, split):
                encoder(batch.frames, batch.frame_mask, batch.frame_keys)  # type: ignore[attr-defined]
    cache = encoder.cache()
    cache.flush()
    say(f"{name}: {encoder.images_encoded} frames encoded now, {len(cache)} in {cache.folder}")


def encoder_of(model: nn.Module) -> FrameEncoder | None:
    return next((m for m in model.modules() if isinstance(m, FrameEncoder) and m.cached), None)


def every_batch(dataset: Any, split: str) -> Iterator[Batch]:
    """Every trial of a split once, the training split's too."""
    rows = torch.arange(len(dataset.splits[split])).split(ROWS)
    return (dataset.batch(split, some.numpy()) for some in rows)
