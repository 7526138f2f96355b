"""Variants in, what a study must know of their data out: each data set is opened once, made ones once and for all."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from pydantic import TypeAdapter

from ablate.contract import Dataset, DataSpec, Split
from ablate.data.formats.kinds import kind_of_data
from ablate.data.trials.layout.detect import layout_of
from ablate.disk.absent import absence
from ablate.disk.digest import text_hash
from ablate.disk.kept import kept
from ablate.errors import AblateError, Problem
from ablate.recipe import Configuration, data_type
from ablate.request import Request
from ablate.result import (
    canonical_json,
)
from ablate.study.running.train import open_data
from ablate.training.class_weights import class_weights
from ablate.variant import Variant

CPU = torch.device("cpu")
SCORED: tuple[Split, ...] = ("validation", "test")
LABELLED_DATA = ("coincidence", "flipflop", "trials")
"""Kinds of data whose place a folder of trials can take."""


def data_sets(request: Request) -> tuple[str, ...]:
    """The overrides of the recipe, `--data` first: recordings or trials in place of the recipe's data."""
    if not request.data:
        return request.sets
    hint = "`ablate data make` writes synthetic ones"
    absent = [absence(path, "there is no such recording", hint) for path in request.data if not path.exists()]
    if absent:
        raise AblateError(problems=tuple(absent))
    return (*_data_of(request), *request.sets)


def _data_of(request: Request) -> tuple[str, ...]:
    """Trials where the recipe's own data are trials (recorded or made); where they are not, recordings, or another
    lab's files; without a recipe the folder itself decides."""
    paths = request.data_paths()
    layout = layout_of(Path(paths[0]))
    named = data_type(request.recipe)
    if layout is None if named is None else named not in LABELLED_DATA:
        kinds = {kind_of_data(path) for path in request.data}
        if len(kinds) > 1:
            hint = "`ablate data import` makes recordings of each"
            raise AblateError(f"these are of different formats: {', '.join(sorted(kinds))}", where="--data", hint=hint)
        return (f"data.type={kinds.pop()}", f"data.path={json.dumps(paths[0] if len(paths) == 1 else paths)}")
    if len(paths) > 1:
        what = f"a study of trials reads one folder, {len(paths)} were named"
        raise AblateError(what, where="--data", hint="put all subjects below one folder, with one manifest")
    laid_out = () if layout is None else (f"data.layout={layout}",)
    return ("data.type=trials", f"data.path={json.dumps(paths[0])}", *laid_out)


def data_files(variants: Sequence[Variant]) -> tuple[str, ...]:
    """The places that recorded data and trained weights are read from; none where all is made."""
    all_of = (variant.configuration for variant in variants)
    return tuple(dict.fromkeys(file for one in all_of for file in (*one.data.sources(), *one.model.files_read())))


@dataclass(frozen=True)
class DataFacts:
    """What a study must know of its data. notices: what is no fault of theirs, but should be known. scored: units (or
    subjects) with enough in a split to be scored."""

    spec: DataSpec
    fingerprint: str
    metric: str
    notices: tuple[Problem, ...]
    scored: dict[Split, int]


FORM = TypeAdapter(DataFacts)


def data_facts(configuration: Configuration) -> DataFacts:
    """Of data that follow from the recipe alone they are kept: they are then neither made nor opened to be told again.

    Raises AblateError for data that cannot be opened.
    """
    data = configuration.data
    if data.sources():
        return _facts(open_data(configuration, CPU))
    text = canonical_json(data.model_dump(mode="json"))
    # Opened here and not for the process: thirty recordings would stay mapped while models are described.
    return kept(f"facts-{text_hash(text)}.json", FORM, lambda: _facts(data.open(CPU)))


def _facts(dataset: Dataset) -> DataFacts:
    notices = tuple(Problem(what, "data") for what in dict.fromkeys(dataset.notices))
    scored = {split: dataset.scored_units(split) for split in SCORED}
    return DataFacts(dataset.spec, dataset.fingerprint, dataset.metric, notices, scored)


def facts_of(variants: Sequence[Variant]) -> dict[str, DataFacts]:
    """The data of every variant, each data set asked once. Raises AblateError for data that cannot be scored."""
    known: dict[str, DataFacts] = {}
    facts = {}
    for variant in variants:
        text = canonical_json(variant.configuration.data.model_dump(mode="json"))
        if text not in known:
            known[text] = data_facts(variant.configuration)
            refuse_unscorable(known[text], variant)
        facts[variant.name] = known[text]
        class_weights(variant.configuration.training, known[text].spec, CPU)  # refuses classes that there are not
    return facts


def refuse_unscorable(facts: DataFacts, variant: Variant) -> None:
    """Every run on such data would fail at its first score: refused once, before anything is trained."""
    for split, units in facts.scored.items():
        if units == 0:
            raise AblateError(
                f"no unit has enough spikes in the {split} split to be scored",
                where="data.min_spikes" if variant.role == "baseline" else f"{variant.name}: data.min_spikes",
                hint="lower `min_spikes`, hold out more time (`split`, `guard`), or record longer; "
                "`ablate data info` shows the spikes of recordings",
            )
