"""A fusion model stage by stage, as the notes write it."""

import io
import re

from rich.console import Console

from ablate.cli.screen.table.stages import print_stages
from ablate.contract import FusionSpec
from ablate.model.cost import describe
from ablate.model.fusion.model import FusionConfig

SPEC = FusionSpec(("a",), 5, 8, (3, 32, 32), 4, 400, 2, (0.5, 0.5), "interval")
FROZEN = {"type": "small_vit", "width": 16, "heads": 2, "depth": 1, "frozen": True}


def shown(**models: dict[str, object]) -> str:
    text = io.StringIO()
    named = [
        (name, describe(FusionConfig.model_validate({"embedding_dim": 8, "video": FROZEN, **model}), SPEC))
        for name, model in models.items()
    ]
    print_stages(Console(file=text, width=160), named)
    return text.getvalue()


def row(text: str, stage: str) -> list[str]:
    return re.split(r"\s{2,}", next(line for line in text.splitlines() if line.startswith(stage)).strip())


def test_the_shapes_of_the_notes_stage_by_stage() -> None:
    text = shown(baseline={})
    assert row(text, "frames, given")[1:] == ["b i f 3 h w", "b x 5 x 8 x 3 x 32 x 32"]
    assert row(text, "eeg, given")[1:] == ["b channel sample", "b x 4 x 400"]
    assert row(text, "video")[1:3] == ["b i f d", "b x 5 x 8 x 16"]
    assert row(text, "mixer")[1:3] == ["b i f d", "b x 5 x 8 x 8"]
    assert row(text, "compressor")[1:3] == ["b i n d", "b x 5 x 4 x 8"]
    assert row(text, "fusion")[1:3] == ["b e d", "b x 5 x 8"]


def test_frozen_stands_apart_from_trained_and_cached_from_uncached() -> None:
    cost = describe(FusionConfig.model_validate({"embedding_dim": 8, "video": FROZEN}), SPEC)
    assert cost.frozen == {"video": cost.parts["video"]}
    text = shown(baseline={})
    assert row(text, "video")[3] == row(text, "video")[4] == f"{cost.parts['video']:,}"
    assert row(text, "trained, and with features cached")[1] == f"{cost.trainable_parameters:,}"
    assert sum(cost.flops.values()) == cost.total_flops > sum(cost.flops.values()) - cost.flops["video"] > 0


def test_each_set_of_shapes_and_each_note_is_shown_once() -> None:
    text = shown(baseline={}, s4d={"mixer": {"type": "s4d"}}, mean={"compressor": {"type": "mean"}})
    assert "baseline, one clip stage by stage (the same shapes: s4d)" in text
    assert "mean, one clip stage by stage" in text
    assert text.count("isolation") == 1
    assert "all variants: isolation (latents x frames): #.... .#... ..#.. ...#. ....#" in text
