"""Takes a validated model configuration and the description of the data, gives a model that the loop can train."""

from typing import Annotated

from pydantic import Field

from ablate.model.encoder import EncoderConfig
from ablate.model.fusion.model import FusionConfig
from ablate.model.glm import GlmConfig
from ablate.model.own_model import ImportedModel

ModelConfig = Annotated[EncoderConfig | GlmConfig | FusionConfig | ImportedModel, Field(discriminator="type")]
"""A new kind of model is one name more in this union."""
