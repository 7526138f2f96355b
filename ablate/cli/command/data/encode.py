"""Every frame through the frozen frame encoders of a recipe, once, into their caches."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from torch import nn

from ablate.cli.command.data.recipe import recipe_of
from ablate.cli.console import err, say
from ablate.cli.screen.live.counting import Count
from ablate.contract import FusionBatch
from ablate.data.trials.opened.dataset import TrialDataset
from ablate.errors import AblateError
from ablate.model import FusionConfig
from ablate.model.video.frame_encoder import FrameEncoder
from ablate.recipe import Configuration
from ablate.result import canonical_json
from ablate.study.running.train import build_model, open_data
from ablate.training import pick_device
from ablate.variant import lay_out

ROWS = 32
"""Clips that are read at once."""
SPLITS = ("train", "validation", "test")


def make_features(recipe: Path, *, sets: Sequence[str], data: tuple[Path, ...], device: str) -> int:
    """Every frame through every frozen encoder of the recipe's variants, once. Raises AblateError if none."""
    layout = lay_out(recipe_of(recipe, sets, data))
    chosen = pick_device(device)
    seen: set[str] = set()
    for variant in layout.variants:
        configuration = variant.configuration
        named = identity(configuration)
        if keeps_features(configuration) and named not in seen and encode(configuration, variant.name, chosen):
            seen.add(named)
    if not seen:
        raise AblateError(
            "no variant of this recipe has a frozen frame encoder whose features are kept",
            where=str(recipe),
            hint="`baseline.video: {type: timm, frozen: true, cache: true}` is one",
        )
    return 0


def identity(configuration: Configuration) -> str:
    """What decides which features there are: the encoder, where its weights come from, and the frames, which a fusion
    study's controls only move."""
    frames = configuration.data.model_dump(mode="json", exclude={"shuffle_pairs", "poison_pads", "fraction"})
    return canonical_json([configuration.model.model_dump(mode="json", include={"video", "init"}), frames])


def keeps_features(configuration: Configuration) -> bool:
    model = configuration.model
    if not isinstance(model, FusionConfig):
        return False
    video, start = dict(model.video), model.init
    started = start is not None and start.frozen and "video" in start.parts
    return bool((video.get("frozen") or started) and video.get("cache"))


def encode(configuration: Configuration, name: str, device: torch.device) -> bool:
    """Fills the cache of one configuration's encoder; false if its model looks at no frame (`fusion: none`)."""
    dataset = open_data(configuration, device)
    assert isinstance(dataset, TrialDataset), "only a fusion model has a frame encoder"
    encoder = encoder_of(build_model(configuration, dataset, 0, device))
    if encoder is None:
        return False
    total = sum(int(dataset.splits[split].frame_mask.sum()) for split in SPLITS)
    with torch.no_grad(), Count(err(), f"{name}: frames", total) as count:
        encoder.watch = count.add
        for split in SPLITS:
            for batch in every_batch(dataset, split):
                before = encoder.images_encoded
                if encoder.remembered(batch.frame_mask, batch.frame_keys) is None:
                    encoder(batch.frames, batch.frame_mask, batch.frame_keys)
                computed = encoder.images_encoded - before
                count.add(int(batch.frame_mask.sum()) - computed, free=True)
    cache = encoder.cache()
    say(f"{name}: {encoder.images_encoded} frames encoded now, {len(cache)} in {cache.folder}")
    return True


def encoder_of(model: nn.Module) -> FrameEncoder | None:
    return next((m for m in model.modules() if isinstance(m, FrameEncoder) and m.cached), None)


def every_batch(dataset: TrialDataset, split: str) -> Iterator[FusionBatch]:
    """Every trial of a split once, the training split's too."""
    rows = torch.arange(len(dataset.splits[split])).split(ROWS)
    return (dataset.batch(split, some.numpy()) for some in rows)
