"""Which layout a folder has, told by the names of its files alone."""

from pathlib import Path
from typing import Literal

from ablate.data.trials.layout.manifest.lines import read_manifest
from ablate.errors import AblateError

LayoutName = Literal["native", "eav", "seed_dv", "mne"]


def layout_of(folder: Path) -> LayoutName | None:
    """None where the folder holds no trials in any layout that is known, as a folder of recordings."""
    if (folder / "manifest.csv").is_file():
        try:
            lines, _ = read_manifest(folder / "manifest.csv", ("trial_id",))
        except AblateError:  # whoever opens the folder says what is wrong
            return "native"
        return "mne" if lines and "seconds" in lines[0].cells and not (folder / "meta.yaml").is_file() else "native"
    if next(folder.rglob("subject*_eeg.mat"), None) is not None:
        return "eav"
    if next(folder.rglob("All_video_label.npy"), None) is not None:
        return "seed_dv"
    return None
