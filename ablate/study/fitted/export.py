"""A finished run in, a folder out that holds all of its model: weights, facts, a recipe that trains it again, a card.

README.md              the card: scores, data, how to use it, where it comes from
model.json             what `ablate.load` needs beside the weights (ModelFacts)
weights.safetensors    the fitted weights
recipe.yaml            this variant as the baseline of a recipe, resolved: `ablate run recipe.yaml` trains it again
study_recipe.yaml      the recipe of the study, as it was written, where it was kept
record.json            the run's record: scores, cost, environment
units.json             the score of every unit
"""

import io
import shutil
from pathlib import Path

from ruamel.yaml import YAML

from ablate.disk.digest import file_hash
from ablate.disk.read import Json, json_text
from ablate.disk.whole import whole_folder, writing
from ablate.errors import AblateError
from ablate.recipe import Configuration
from ablate.result import RunRecord
from ablate.result.store.verify import changed_files
from ablate.study.fitted.card import card_text
from ablate.study.fitted.facts import facts_of
from ablate.study.fitted.load import FACTS, WEIGHTS
from ablate.study.fitted.opened import OpenedRun

KEPT = {"record.json": "record.json", "units.json": "units.json", "recipe.yaml": "study_recipe.yaml"}
"""Files of a run, and what they are called in an export."""


def export_run(run: OpenedRun, folder: Path) -> Path:
    """Writes the folder, whole or not at all. Raises AblateError where it exists, where the run's files are no longer
    the ones that were written, and for a run that predicts labels."""
    if folder.exists():
        raise AblateError("already exists", where=str(folder), hint="name another folder, or remove this one first")
    source = run.store.folder(run.record.key)
    if wrong := changed_files(source):
        raise AblateError(f"the run's files are not the ones that were written: {wrong[0]}", where=str(source))
    facts = facts_of(run).model_copy(update={"weights_blake2b": file_hash(source / WEIGHTS)})
    manifest = run.store.manifest() if run.store.exists() else None
    question = "" if manifest is None else manifest.question
    with writing(folder), whole_folder(folder) as beside:
        shutil.copyfile(source / WEIGHTS, beside / WEIGHTS)
        for name, called in KEPT.items():
            if (source / name).is_file():
                shutil.copyfile(source / name, beside / called)
        (beside / FACTS).write_text(json_text(facts.model_dump(mode="json"), folder / FACTS), encoding="utf-8")
        (beside / "recipe.yaml").write_text(recipe_text(run.record, run.configuration, question), encoding="utf-8")
        (beside / "README.md").write_text(card_text(run, facts, question), encoding="utf-8")
    return folder


def recipe_text(record: RunRecord, configuration: Configuration, question: str) -> str:
    """A recipe whose baseline is this variant, every value written out."""
    data = configuration.data.model_dump(mode="json")
    recipe: Json = {
        "name": f"{record.study}-{record.variant}".replace("+", "_")[:100],
        "question": question or f"How well does {record.variant} of {record.study} predict?",
        "data": {name: value for name, value in data.items() if name != "metric"},
        **({"metric": data["metric"]} if "metric" in data else {}),
        "baseline": configuration.model.model_dump(mode="json"),
        "training": configuration.training.model_dump(mode="json"),
        "glm": False,
        "seeds": [record.seed],
    }
    text = io.StringIO()
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = None
    yaml.width = 110
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    yaml.dump(recipe, text)
    return (
        f"# Resolved from {record.variant} of the study {record.study}: every value is written out.\n{text.getvalue()}"
    )
