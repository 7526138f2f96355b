"""Takes recordings (files, or a seeded synthetic world), gives seeded batches of windows and the bins they are
scored on."""

from typing import Annotated

from pydantic import Field

from ablate.data.coincidence import CoincidenceConfig
from ablate.data.encoding.config import EncodingDataConfig
from ablate.data.encoding.recordings import RecordingsConfig
from ablate.data.flipflop import FlipflopConfig
from ablate.data.formats.experanto import ExperantoConfig
from ablate.data.formats.grasshopper import GrasshopperConfig
from ablate.data.formats.nwb import NwbConfig
from ablate.data.formats.openretina import OpenRetinaConfig
from ablate.data.formats.sensorium.images import Sensorium2022Config
from ablate.data.formats.sensorium.videos import Sensorium2023Config
from ablate.data.formats.visioncore import VisionCoreConfig
from ablate.data.synthetic.config import SyntheticV1Config
from ablate.data.trials import TrialsConfig

DataConfig = Annotated[
    SyntheticV1Config
    | RecordingsConfig
    | Sensorium2023Config
    | Sensorium2022Config
    | OpenRetinaConfig
    | NwbConfig
    | ExperantoConfig
    | VisionCoreConfig
    | GrasshopperConfig
    | CoincidenceConfig
    | FlipflopConfig
    | TrialsConfig,
    Field(discriminator="type"),
]
