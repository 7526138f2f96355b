"""Cores: takes a filtered video (b c t h w), gives a map of features (b d t2 h2 w2).

Causal, and every step is aligned so that the newest one ends at the newest frame.
"""

from typing import Annotated

from pydantic import Field

from ablate.model.core.frame_vit import FrameViTConfig
from ablate.model.core.hybrid_cnn_transformer import HybridCnnTransformerConfig
from ablate.model.core.resnet import ResNetConfig
from ablate.model.core.vivit import ViViTConfig
from ablate.model.layer.imported import ImportedPart

CoreConfig = Annotated[
    ViViTConfig | ResNetConfig | HybridCnnTransformerConfig | FrameViTConfig | ImportedPart,
    Field(discriminator="type"),
]
"""A new core is one file here and one name in this union."""
