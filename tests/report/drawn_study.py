"""A planted study with everything that a report can draw: curves, units, a ladder, pairs, shares of the data."""

from collections.abc import Callable
from typing import Any

import numpy as np
from planted import BASELINE, Planted, shifted, typical

from ablate.analysis.outcome import StudyAnalysis
from ablate.analysis.study import analyse

TOPS = {BASELINE: 0.40, "tokens": 0.42, "blur": 0.401, "slow": 0.37, "resnet": 0.44}


def rich(**changes: Any) -> Planted:
    """`typical` with two shares of the data for baseline and tokens."""
    planted = typical()
    base = planted.scores[BASELINE]
    for place, share in enumerate((0.25, 0.5)):
        planted.scores[f"data{share}"] = shifted(base, -0.1 * (1 - share), salt=20 + place)  # type: ignore[arg-type]
        planted.scores[f"tokens+data{share}"] = shifted(base, -0.06 * (1 - share), salt=30 + place)  # type: ignore[arg-type]
        planted.entries[f"data{share}"] = {"differences": {"data.fraction": (1.0, share)}}
        planted.entries[f"tokens+data{share}"] = {
            "differences": {"data.fraction": (1.0, share), "baseline.core.tokens": (8, 4)}
        }
    planted.entries["tokens"]["differences"] = {"baseline.core.tokens": (8, 4)}
    for name, value in changes.items():
        setattr(planted, name, value)
    return planted


def history(key: str) -> list[dict[str, Any]]:
    name, seed = key.rsplit("-", 1)
    top = TOPS.get(name, 0.4) + 0.002 * int(seed)
    return [{"step": step, "validation": float(top * (1 - np.exp(-step / 300)))} for step in range(0, 1001, 100)]


def units(key: str) -> dict[str, Any]:
    name, seed = key.rsplit("-", 1)
    values = np.random.default_rng(5).gamma(3, 0.13, 16) + TOPS.get(name, 0.4) - 0.4 + 0.001 * int(seed)
    drift = np.linspace(0.001, -0.001, 20)  # the test's first half is easier
    table = {"entry": list(range(16)), "value": values.tolist(), "blocks": drift.tolist()}
    return {"sessions": [{"name": "monkey", **table}], "repeats": [repeats(name, int(seed))]}


def repeats(name: str, seed: int) -> dict[str, Any]:
    """One unit, four showings of twelve bins; a variant explains as much as it scores."""
    own = TOPS.get(name, 0.4) + 0.001 * seed

    def measure(value: float) -> dict[str, float]:
        return {"value": value, "low": value - 0.05, "high": value + 0.05}

    values = {"explainable": measure(0.25), "ceiling": measure(0.8), "fev": measure(own), "cc_norm": measure(own + 0.3)}
    values |= {"cc_average": measure(own + 0.2), "cc_single": measure(own / 2), "bits": measure(own)}
    psth = {
        "unit": 3,
        "raster": [[0, 5], [5], [5, 5, 7], []],
        "average": [0.25, *[0.0] * 4, 1.0, 0.0, 0.25, *[0.0] * 4],
    }
    return {
        "name": "monkey",
        "source": "repeats.npy",
        "bin_rate_hz": 60.0,
        "showings": 4,
        "bins": 12,
        "mean": values,
        "units": [{"unit": 3, "clear": True, "values": values}, {"unit": 4, "clear": False, "values": {}}],
        "psth": [psth | {"predicted": [own] * 12}],
    }


def analysed(planted: Planted | None = None, *, loaders: bool = True) -> StudyAnalysis:
    planted = planted or rich()
    found: dict[str, Callable[[str], Any]] = {"units": units, "history": history} if loaders else {}
    return analyse(planted.manifest(), planted.records(), **found)
