"""`ablate data`: write the synthetic recordings, look at recordings, and prepare the features of frozen encoders."""

import json
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from rich.table import Table
from rich.text import Text
from torch import nn

from ablate.analysis.words import number, percent
from ablate.cli.console import out, say
from ablate.contract import Batch
from ablate.data.config import EncodingDataConfig
from ablate.data.info import DataInfo, SessionInfo, data_info
from ablate.data.recording import write_recording
from ablate.data.synthetic.make import make_session
from ablate.data.synthetic_v1 import SyntheticV1Config, session_name
from ablate.errors import AblateError
from ablate.model.video.frame_encoder import FrameEncoder
from ablate.recipe import Configuration, Recipe, load_recipe
from ablate.request import Request
from ablate.result import canonical_json
from ablate.study.plan import data_sets
from ablate.study.train import build_model, open_data
from ablate.training import pick_device
from ablate.variant import lay_out

FORMATS = ("table", "json")
NO_RECIPE = "name: data\nquestion: none\ndata: {type: synthetic_v1}\nbaseline: {type: glm}\n"
"""Stands in where no recipe is named: the defaults of the data."""
ROWS = 32
"""Clips that go through a frozen encoder at once."""


# ------------------------------------------------------------------ ablate data make


def make_data(folder: Path, *, recipe: Path | None, sets: Sequence[str]) -> int:
    """Writes every session as a recording folder. Raises AblateError before anything would be overwritten."""
    config = recipe_of(recipe, sets).data
    if not isinstance(config, SyntheticV1Config):
        told = f"the data of this recipe are {config.type}, which are not made from a seed"
        raise AblateError(told, where="data.type", hint="leave --recipe out, or name one whose data are synthetic_v1")
    names = [session_name(index) for index in range(config.sessions)]
    there = [name for name in names if (folder / name).exists()]
    if there:
        told = (
            f"{there[0]} already exists" if len(there) == 1 else f"{there[0]} and {len(there) - 1} more already exist"
        )
        raise AblateError(told, where=str(folder), hint="name another folder, or remove these first")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for index, name in enumerate(names):
            recording = make_session(config.world, index)
            write_recording(folder / name, recording)
            say(f"[{index + 1}/{len(names)}] {folder / name}: {recording.frames} frames, {recording.units} units")
    except OSError as error:
        raise AblateError(f"cannot be written: {error.strerror or error}", where=str(folder)) from None
    say(f"train on them: ablate run RECIPE --data {folder}")
    return 0


def recipe_of(path: Path | None, sets: Sequence[str], data: Path | None = None) -> Recipe:
    """The recipe, or one that holds nothing but the defaults of the data."""
    if path is not None:
        return load_recipe(path, sets=data_sets(Request(recipe=path, sets=tuple(sets), data=data)))
    with tempfile.TemporaryDirectory() as folder:
        stand_in = Path(folder) / "data.yaml"
        stand_in.write_text(NO_RECIPE, encoding="utf-8")
        return load_recipe(stand_in, sets=data_sets(Request(recipe=stand_in, sets=tuple(sets), data=data)))


# ------------------------------------------------------------------ ablate data info


def show_info(path: Path, *, recipe: Path | None, sets: Sequence[str], format: str) -> int:
    """Prints what is in recordings, and how they would be split."""
    if format not in FORMATS:
        raise AblateError(f"--format {format} is unknown", hint=f"choose {' or '.join(FORMATS)}")
    config = recipe_of(recipe, sets, data=path).data
    assert isinstance(config, EncodingDataConfig)
    info = data_info(config)
    if format == "json":
        print(json.dumps(asdict(info), indent=1))
        return 0
    print_info(info)
    return 0


def print_info(info: DataInfo) -> None:
    """One row a session, then what is worth knowing of each."""
    console = out()
    console.print(info.summary, markup=False)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    table.add_column("session")
    for name in (
        "frames",
        "h x w",
        "bins a s",
        "units",
        "left out",
        "median Hz",
        "train",
        "validation",
        "test",
        "scored test bins",
    ):
        table.add_column(name, justify="right")
    for session in info.sessions:
        table.add_row(*row_of(session))
    console.print(table)
    for session in info.sessions:
        for line in remarks(session):
            console.print(f"{session.name}: {line}", markup=False)
    console.print(
        f"fingerprint {info.fingerprint[:16]}, scored test bins {info.scored_hash['test'][:16]}", markup=False
    )


def row_of(session: SessionInfo) -> tuple[str | Text, ...]:
    frames, height, width = session.shape
    rates = sorted(unit.rate_hz for unit in session.units)
    excluded = sum(unit.excluded for unit in session.units)
    shares = [percent(session.frames[name] / frames, 0) for name in ("train", "validation", "test")]
    median = number(rates[len(rates) // 2], 1)
    size = f"{height} x {width} {session.dtype}"
    head = (Text(session.name), str(frames), size, f"{session.bin_rate_hz:g}", str(len(session.units)))
    return (*head, str(excluded), median, *shares, str(session.scored["test"]))


def remarks(session: SessionInfo) -> Iterator[str]:
    """Behaviour, repeats, masks, the ceiling, and the free text of the header."""
    yield f"{len(session.behaviors)} behaviour variables" if session.behaviors else "no behaviour"
    if session.repeated:
        yield f"{session.repeated} frames repeat earlier ones; their stretches never straddle a split"
    if session.dropped:
        yield f"{session.dropped} bins are not scored, since their stretch was met by chance in another split"
    valid = sum(unit.valid for unit in session.units) / len(session.units)
    if valid < 1:
        yield f"{percent(valid)} of the bins are valid"
    known = [unit.attainable for unit in session.units if unit.attainable is not None and not unit.excluded]
    if known:
        yield f"attainable {number(sum(known) / len(known))} bits/spike on the test split"
    for key in ("species", "source", "license"):
        if key in session.notes:
            yield f"{key}: {session.notes[key]}"


# ------------------------------------------------------------------ ablate data features


def make_features(recipe: Path, *, sets: Sequence[str], data: Path | None, device: str) -> int:
    """Every frame through every frozen encoder of the recipe's variants, once. Raises AblateError if none."""
    layout = lay_out(recipe_of(recipe, sets, data))
    chosen = pick_device(device)
    seen: set[str] = set()
    for variant in layout.variants:
        configuration = variant.configuration
        video = getattr(configuration.model, "video", None)
        if video is None:
            continue
        told = canonical_json([video.model_dump(mode="json"), configuration.data.model_dump(mode="json")])
        if told not in seen:
            seen.add(told)
            encode(configuration, variant.name, chosen)
    if not encoded(seen, layout.variants):
        raise AblateError(
            "no variant of this recipe has a frozen frame encoder whose features are kept",
            where=str(recipe),
            hint="`baseline.video: {type: timm, frozen: true, cache: true}` is one",
        )
    return 0


def encoded(seen: set[str], variants: Sequence[Any]) -> bool:
    """Whether any variant keeps features."""
    return any(keeps_features(variant.configuration) for variant in variants) and bool(seen)


def keeps_features(configuration: Configuration) -> bool:
    video = getattr(configuration.model, "video", None)
    return bool(getattr(video, "frozen", False) and getattr(video, "cache", False))


def encode(configuration: Configuration, name: str, device: torch.device) -> None:
    """Fills the cache of one configuration's encoder."""
    if not keeps_features(configuration):
        return
    dataset = open_data(configuration, device)
    model = build_model(configuration, dataset, 0, device)
    encoder = encoder_of(model)
    if encoder is None:  # `fusion: none` looks at no frame
        return
    with torch.no_grad():
        for split in ("train", "validation", "test"):
            for batch in every_batch(dataset, split):
                encoder(batch.frames, batch.frame_mask, batch.frame_keys)  # type: ignore[attr-defined]
    cache = encoder.cache()
    cache.flush()
    say(f"{name}: {encoder.images_encoded} frames encoded now, {len(cache)} in {cache.folder}")


def encoder_of(model: nn.Module) -> FrameEncoder | None:
    return next((m for m in model.modules() if isinstance(m, FrameEncoder) and m.cached), None)


def every_batch(dataset: Any, split: str) -> Iterator[Batch]:
    """Every trial of a split once, the training split's too."""
    rows = torch.arange(len(dataset.splits[split])).split(ROWS)
    return (dataset.batch(split, some.numpy()) for some in rows)
