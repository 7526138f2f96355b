"""What a program is told in place of a screen: one JSON document on stdout, with the exit code and what is wrong."""

import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext, redirect_stdout
from dataclasses import asdict
from typing import TYPE_CHECKING

from ablate.cli.screen.table.whom import lints_of
from ablate.disk.read import Json, dumped
from ablate.errors import Problem
from ablate.result import ModelCost, VariantEntry

if TYPE_CHECKING:
    from ablate.study.memory import Predicted
    from ablate.study.price import StudyPrice
    from ablate.study.study import Study


def kept_free(format: str) -> AbstractContextManager[object]:
    """While work is done: what code of the user's prints goes to stderr, so that the document stands alone."""
    return redirect_stdout(sys.stderr) if format == "json" else nullcontext()


def print_document(record: Json, *, exit_code: int = 0, errors: Sequence[Problem] = ()) -> None:
    """exit_code: the program's. errors: what a person must mend, as where, what and hint."""
    print(dumped({"exit_code": exit_code, "errors": list(map(asdict, errors)), **record}), end="")


def variants_record(study: "Study") -> Json:
    """What `ablate check` found: study, question, data, seeds, runs, variants, lints and notices."""
    manifest = study.manifest
    lints = lints_of([(entry.name, entry.cost) for entry in manifest.variants if entry.cost])
    return {
        "study": manifest.name,
        "question": manifest.question,
        "data": manifest.data_description,
        "metric": manifest.metric,
        "seeds": list(manifest.seeds),
        "runs": len(study.jobs),
        "variants": list(map(_variant, manifest.variants)),
        "lints": [{"lint": lint, "variants": names} for lint, names in lints.items()],
        "notices": list(map(asdict, study.notices)),
    }


def _variant(entry: VariantEntry) -> Json:
    """One variant: what it changes, on purpose and besides, and what it weighs."""
    return {
        "name": entry.name,
        "role": entry.role,
        "title": entry.title,
        "patches": list(entry.patches),
        "aliases": list(entry.aliases),
        "changes": entry.changes,
        "also_changed": list(entry.also_changed),
        "differences": {path: list(values) for path, values in entry.differences.items()},
        "expect": list(entry.expect) if entry.expect else None,
        "cost": cost_record(entry.cost) if entry.cost else None,
    }


def cost_record(cost: ModelCost) -> Json:
    """What a model weighs."""
    tokens = cost.tokens
    return {
        "parts": dict(cost.parts),
        "total": cost.total_parameters,
        "trainable": cost.trainable_parameters,
        "frozen": cost.total_parameters - cost.trainable_parameters,
        "frozen_by_part": dict(cost.frozen),
        "flops": cost.total_flops,
        "flops_by_part": dict(cost.flops),
        "inputs": {name: list(shape) for name, shape in cost.inputs.items()},
        "shapes": {name: list(shape) for name, shape in cost.shapes.items()},
        "tokens": {"time": tokens.time, "space": list(tokens.space)} if tokens else None,
        "pixels_never_seen": cost.pixels_never_seen,
        "receptive_field": cost.receptive_field,
        "notes": cost.notes,
        "lints": list(cost.lints),
    }


def memory_record(found: "Predicted") -> Json:
    """What a training step of each variant takes on a card: precision, peak_bytes and of these kept_bytes; what the
    device has free, and what does not fit."""
    return {
        "device": found.device,
        "free_bytes": found.free,
        "variants": {
            name: {"precision": step.precision, "peak_bytes": step.peak, "kept_bytes": step.footprint.kept}
            for name, step in found.steps.items()
        },
        "too_large": list(map(asdict, found.too_large)),
    }


def price_record(price: "StudyPrice") -> Json:
    """What a study will cost: device, workers, runs_left, seconds_left, detectable gain and a row a variant."""
    rows = [
        {
            "name": row.entry.name,
            "runs_done": row.done,
            "runs_left": row.left,
            "step_milliseconds": row.timing.milliseconds if row.timing else None,
            "peak_memory_bytes": row.timing.peak_memory if row.timing else None,
            "predicted_memory_bytes": row.predicted,
            "run_seconds": row.seconds,
            "measured": row.measured,
            "problem": row.problem,
        }
        for row in price.variants
    ]
    return {
        "study": price.study.manifest.name,
        "device": price.device,
        "workers": price.workers,
        "runs_left": price.left,
        "seconds_left": price.seconds,
        "smallest_detectable_gain": price.detectable,
        "baseline": price.baseline,
        "retuning": {"runs": price.search[0], "seconds": price.search[1]},
        "confirmation": {"runs": price.confirmation[0], "seconds": price.confirmation[1]},
        "variants": rows,
    }
