"""Compressors: take an interval's frame tokens (b, i, f, d) and their mask, give n latents an interval (b, i, n, d)."""

from typing import Annotated

from pydantic import Field

from ablate.model.compressor.mean import MeanConfig
from ablate.model.compressor.pma import PmaConfig
from ablate.model.compressor.resampler import ResamplerConfig
from ablate.model.layer.imported import ImportedPart

CompressorConfig = Annotated[MeanConfig | PmaConfig | ResamplerConfig | ImportedPart, Field(discriminator="type")]
