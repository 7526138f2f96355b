"""What lies in a recording's folder: what is read, what is only named, and what was surely meant to be read."""

import difflib
from pathlib import Path

from ablate.data.recording.session import OPTIONAL, REPEATED
from ablate.disk.listing import visible
from ablate.errors import AblateError, Problem

HEADER = "recording.yaml"
KEYS = ("name", "bin_rate_hz", "bins_per_frame", "behavior_names", "signal")
ARRAYS = tuple(f"{name}.npy" for name in ("stimulus", "spikes", *OPTIONAL, *REPEATED))
READ = (HEADER, *ARRAYS)
ALIKE = 0.75  # share of letters: behaviour.npy, vaild.npy, Spikes.npy; not notes.txt
PREFIX = 4  # letters: stim.npy, behav.npy
OTHER_WORDS = {"mask": "valid", "counts": "spikes", "responses": "spikes", "movie": "stimulus", "video": "stimulus"}


def unread_files(folder: Path) -> tuple[str, ...]:
    """What lies in the folder and is not read, without hidden files. Raises AblateError, all at once, for names that
    are nearly those of files that are read and are not there: they would be left out without a word."""
    names = [entry.name for entry in visible(folder)]
    others = [name for name in names if name not in READ]
    absent = [name for name in READ if name not in names]
    problems = []
    for name in others:
        meant = _nearest(Path(name).stem, {Path(one).stem: one for one in absent})
        if meant:
            problems.append(Problem(f"{name} is not read", str(folder), f"did you mean {meant}? Rename it, or move it"))
    if problems:
        raise AblateError(problems=tuple(problems))
    return tuple(others)


def check_keys(header: dict[str, object], folder: Path) -> None:
    """Raises AblateError for a key that is nearly one of ours which is not there; all else is free text."""
    absent = {key: key for key in KEYS if key not in header}
    problems = [
        Problem(f"recording.yaml: `{key}` is not read", str(folder), f"did you mean `{meant}`?")
        for key in header
        if key not in KEYS and (meant := _nearest(key, absent))
    ]
    if problems:
        raise AblateError(problems=tuple(problems))


def _nearest(word: str, known: dict[str, str]) -> str | None:
    """What is known under nearly this word, under its beginning, or under another word of the field."""
    word = word.casefold().replace("-", "_")
    begun = [name for name in known if len(word) >= PREFIX and name.startswith(word)]
    alike = difflib.get_close_matches(word, known, n=1, cutoff=ALIKE)
    found = [*begun, *alike, *(name for name in (OTHER_WORDS.get(word),) if name in known)]
    return known[found[0]] if found else None
