"""Fusion: takes EEG tokens (b, e, d) and video latents (b, i, n, d), gives EEG tokens that know the video."""

from typing import Annotated

from pydantic import Field

from ablate.model.crossmodal.concat import ConcatConfig
from ablate.model.crossmodal.cross_attention import CrossAttentionConfig
from ablate.model.crossmodal.gated_cross_attention import GatedCrossAttentionConfig
from ablate.model.crossmodal.late import LateConfig
from ablate.model.crossmodal.none import NoFusionConfig
from ablate.model.layer.imported import ImportedPart

CrossmodalConfig = Annotated[
    NoFusionConfig | LateConfig | ConcatConfig | CrossAttentionConfig | GatedCrossAttentionConfig | ImportedPart,
    Field(discriminator="type"),
]
