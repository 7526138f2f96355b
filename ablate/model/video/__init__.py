"""Video encoders: take frames (b, i, f, ...) and their mask, give tokens (b, i, f2, d), zero in the pads."""

from typing import Annotated

from pydantic import Field

from ablate.model.layer.imported import ImportedPart
from ablate.model.video.features import FeaturesConfig
from ablate.model.video.focus import FocusConfig
from ablate.model.video.hf_video import HfVideoConfig
from ablate.model.video.small_vit import SmallVitConfig
from ablate.model.video.timm_vit import TimmConfig
from ablate.model.video.vivit.factorised import VivitFactorisedConfig
from ablate.model.video.vivit.joint import VivitJointConfig

VideoConfig = Annotated[
    FeaturesConfig
    | SmallVitConfig
    | TimmConfig
    | FocusConfig
    | HfVideoConfig
    | VivitFactorisedConfig
    | VivitJointConfig
    | ImportedPart,
    Field(discriminator="type"),
]
