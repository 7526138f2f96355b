"""A path in, the format of what lies there out."""

from pathlib import Path

from ablate.data.formats.base import FormatConfig
from ablate.data.formats.experanto import ExperantoConfig
from ablate.data.formats.grasshopper import GrasshopperConfig
from ablate.data.formats.nwb import NwbConfig
from ablate.data.formats.openretina import OpenRetinaConfig
from ablate.data.formats.sensorium.images import Sensorium2022Config
from ablate.data.formats.sensorium.videos import Sensorium2023Config
from ablate.data.formats.visioncore import VisionCoreConfig
from ablate.disk.listing import visible

KINDS: dict[str, tuple[type[FormatConfig], str]] = {
    "sensorium2023": (Sensorium2023Config, "Sensorium 2023: videos, deconvolved calcium"),
    "sensorium2022": (Sensorium2022Config, "Sensorium 2022: still images, deconvolved calcium"),
    "experanto": (ExperantoConfig, "experanto: a folder a modality"),
    "openretina": (OpenRetinaConfig, "open-retina: HDF5 with responses_<name>"),
    "visioncore": (VisionCoreConfig, "VisionCore: .dset of torch.save"),
    "grasshopper": (GrasshopperConfig, "two receptors of a grasshopper, as nitime ships them"),
    "nwb": (NwbConfig, "Neurodata Without Borders 2"),
}
"""Format -> its settings, and what it is in a few words."""


def sessions_at(place: Path) -> tuple[str, tuple[Path, ...]] | None:
    """The format of a path and its sessions: the path itself, or what lies directly in it; None where none is known."""
    found = _kind_of(place)
    if found is not None:
        return found, (place,)
    kinds = {one: kind for one in visible(place) if (kind := _kind_of(one)) is not None}
    if not kinds:
        return None
    first = next(iter(kinds.values()))
    return first, tuple(one for one, kind in kinds.items() if kind == first)


def _kind_of(place: Path) -> str | None:
    return next((kind for kind, (config, _) in KINDS.items() if config.is_one(place)), None)


def kind_of_data(place: Path) -> str:
    """The `data.type` that reads a path: that of another lab's files, else `recordings`, which says what is missing."""
    ours = (place / "recording.yaml").is_file() or any((one / "recording.yaml").is_file() for one in visible(place))
    found = None if ours else sessions_at(place)
    return "recordings" if found is None else found[0]
