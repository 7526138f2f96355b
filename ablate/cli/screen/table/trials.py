"""What is in a folder of trials and how they are split: a row a subject, then what should be known."""

import json
from collections.abc import Iterator
from dataclasses import asdict
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from ablate.analysis.words import number, plural
from ablate.cli.console import out

if TYPE_CHECKING:
    from ablate.data.trials.info import SubjectInfo, TrialsInfo

MOST_LABELS = 8
"""Classes with a column of their own; of more only the trials are counted."""
MOST_CHANNELS = 8


def print_json(info: "TrialsInfo") -> None:
    """All of it, for programs."""
    print(json.dumps(asdict(info), indent=1))


def print_info(info: "TrialsInfo") -> None:
    """What all trials share, one row a subject, then what should be known."""
    console = out()
    for line in head(info):
        console.print(line, markup=False)
    learned = info.labels or tuple(target.name for target in info.targets)
    labels = learned if len(learned) <= MOST_LABELS else ()
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("subject")
    for name in ("trials", "train", "validation", "test", *labels, "spread", "offset", "bad channels"):
        table.add_column(name, justify="right")
    for subject in info.subjects:
        table.add_row(*row_of(subject, labels))
    console.print(table)
    for line in remarks(info, labels):
        console.print(line, markup=False)
    console.print(f"fingerprint {info.fingerprint[:16]}", markup=False)


def head(info: "TrialsInfo") -> Iterator[str]:
    names = ", ".join(info.channels[:MOST_CHANNELS]) + (", ..." if len(info.channels) > MOST_CHANNELS else "")
    yield info.summary
    yield (
        f"a trial: {info.intervals} intervals of {info.interval_s:g} s; "
        f"EEG of {len(info.channels)} channels at {info.rate_hz:g} Hz ({names})"
    )
    pixels = len(info.frame_shape) == 3
    shape = " x ".join(map(str, info.frame_shape[1:])) if pixels else ""
    kind = f"pixels {shape}" if pixels else f"features of width {info.frame_shape[0]}"
    least, median, most = info.frames
    for target in info.targets:
        span = f"{target.least:.4g} to {target.most:.4g}, mean {target.mean:.4g}, sd {target.sd:.4g}"
        yield f"{target.name}: a number, rated {target.rated} times, {span}"
    yield f"video: {kind}; an interval has {least} to {most} frames (median {median}) in {info.slots} slots"


def row_of(subject: "SubjectInfo", labels: tuple[str, ...]) -> tuple[str | Text, ...]:
    of = subject.labels
    splits = [str(count) for count in subject.split_trials]
    each = ["/".join(str(counts.get(label, 0)) for counts in of.values()) for label in labels]
    offset = ""
    if subject.offset_s is not None:
        least, most = subject.offset_s
        offset = f"{least:g} s" if least == most else f"{least:g} to {most:g} s"
    bads = Text(", ".join(subject.bads) or "none")
    return (Text(subject.name), str(subject.trials), *splits, *each, f"{number(subject.spread_uv, 1)} uV", offset, bads)


def remarks(info: "TrialsInfo", labels: tuple[str, ...]) -> Iterator[str]:
    if labels:
        what = "numbers that are rated in" if info.targets else "trials of"
        yield f"labels count the {what} train/validation/test"
    if any(subject.offset_s is not None for subject in info.subjects):
        yield "offset: t0_video_s less t0_eeg_s"
    total = info.intervals * sum(subject.trials for subject in info.subjects)
    yield f"{info.absent} of {total} intervals have no frame; no video at all: {plural(info.without_video, 'trial')}"
    yield from info.notices
