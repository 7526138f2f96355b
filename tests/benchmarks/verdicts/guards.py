"""How often the guards that are rules of thumb accuse an honest study, and how often they tell a planted fault.

Honest studies: a baseline and ten variants, five that do nothing and five that gain 1.5 to 4 standard deviations of a
paired gain, whose validation curves have been flat, but for noise, over their second half. Noise as in the committed
studies: each of the three is the 10, 50 or 90 % quantile over all rows of all studies, relative to the score

    within    of one curve about its own trend over the second half
    ends      of the seeds' last values
    gains     of the paired gains

Faults, each in one variant that gains 4 standard deviations: its curves rise by half of its gain over the last quarter
(`early`); one of its seeds has stood at 60 % of the others' level (`plateau`); its gains scatter a tenth as much
(`spread`). By the program's own functions.
"""

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import ours
from worlds import HALF, Planted

from ablate.analysis.guard.learning import plateaus, still_learning
from ablate.analysis.guard.noise import unlike_spreads
from ablate.analysis.outcome import LearningCurve

GUARDS = {"early": still_learning, "plateau": plateaus, "spread": unlike_spreads}
QUANTILES = {"little": 0.1, "usual": 0.5, "much": 0.9}
SEEDS = (3, 5, 10)
POINTS = (4, 8)
"""Validation scores of a run: the fewest that have a last quarter, and the median of the committed studies."""
FAULTY = 9
"""The variant with a fault: the one with the largest gain."""


class Noise(NamedTuple):
    """Standard deviations relative to the score."""

    name: str
    within: float
    ends: float
    gains: float


class Accused(NamedTuple):
    """points: scores of a curve. row, study: shares of honest rows and studies accused. told: of the faults."""

    noise: Noise
    seeds: int
    guard: str
    points: int
    row: float
    study: float
    told: float


def committed_noise(results: Path) -> list[Noise]:
    """From the curves and scores of every committed study with three seeds or more."""
    within: list[float] = []
    ends: list[float] = []
    gains: list[float] = []
    for path in sorted(results.glob("*/records.jsonl")):
        curves, scores = _of_study(path)
        base = scores.get("baseline", {})
        for name, held in curves.items():
            last = np.array([values[-1] for _, values in held])
            level = abs(last.mean())
            within += [_about_trend(steps, values) / level for steps, values in held]
            pairs = [scores[name][seed] - base[seed] for seed in scores[name] if seed in base]
            if len(last) >= 3:
                ends.append(float(last.std(ddof=1) / level))
            if len(pairs) >= 3 and name != "baseline":
                gains.append(float(np.std(pairs, ddof=1) / abs(np.mean(list(base.values())))))
    return [
        Noise(name, *(float(np.quantile([one for one in held if one == one], q)) for held in (within, ends, gains)))
        for name, q in QUANTILES.items()
    ]


def _of_study(path: Path) -> tuple[dict[str, list[tuple[np.ndarray, np.ndarray]]], dict[str, dict[int, float]]]:
    """Validation curves and test scores of the finished runs, by variant."""
    curves: dict[str, list[tuple[np.ndarray, np.ndarray]]] = defaultdict(list)
    scores: dict[str, dict[int, float]] = defaultdict(dict)
    for line in path.read_text(encoding="utf-8").splitlines():
        run = json.loads(line)
        record = run["record"]
        points = [(point["step"], point["validation"]) for point in run["history"] if point.get("validation")]
        if record["state"] == "done" and len(points) >= 4:
            steps, values = (np.array(column, dtype=float) for column in zip(*points, strict=True))
            curves[record["variant"]].append((steps, values))
            scores[record["variant"]][record["seed"]] = record["test"]["headline"]
    return curves, scores


def _about_trend(steps: np.ndarray, values: np.ndarray) -> float:
    """Scatter of the second half about a parabola; NaN where that leaves fewer than two degrees of freedom."""
    late = steps >= steps[-1] / 2
    if late.sum() < 5:
        return float("nan")
    place = steps[late] / steps[-1]
    left = values[late] - np.polyval(np.polyfit(place, values[late], 2), place)
    return float(np.sqrt((left**2).sum() / (late.sum() - 3)))


def measured(noises: Sequence[Noise], studies: int, seed: int) -> Iterator[Accused]:
    """Every guard at every noise and number of seeds."""
    for noise in noises:
        for seeds in SEEDS:
            for points in POINTS:
                honest = [_guards(analysis) for analysis in drawn(noise, seeds, points, studies, seed)]
                for guard in GUARDS if points == max(POINTS) else ("early",):
                    faults = drawn(noise, seeds, points, studies // 4, seed + 1, fault=guard)
                    rows = np.array([len(found[guard]) for found in honest])
                    told = float(np.mean([f"p{FAULTY}" in _guards(analysis)[guard] for analysis in faults]))
                    row, study = float(rows.mean() / (1 + len(HALF.gains))), float((rows > 0).mean())
                    yield Accused(noise, seeds, guard, points, row, study, told)


def _guards(analysis: Any) -> dict[str, set[str | None]]:
    return {name: {guard.row for guard in guard_of(analysis)} for name, guard_of in GUARDS.items()}


def drawn(noise: Noise, seeds: int, points: int, studies: int, seed: int, fault: str = "") -> Iterator[Any]:
    """Studies as the guards see them: rows with verdict, score, gain and curves."""
    generator = np.random.default_rng(seed)
    gains = np.array(HALF.gains) * noise.gains
    base = 1 + noise.ends * generator.standard_normal((studies, seeds))
    differences = gains[:, None] + noise.gains * generator.standard_normal((studies, len(gains), seeds))
    if fault == "spread":
        differences[:, FAULTY] = gains[FAULTY] + (differences[:, FAULTY] - gains[FAULTY]) / 10
    words = ours.fixed(Planted(HALF, np.zeros((studies, len(gains))), base[:, None] + differences, base))
    levels = np.concatenate([base[:, None], base[:, None] + differences], axis=1)  # studies row seed
    shape = np.minimum(np.linspace(0, 1, points + 1)[1:] / 0.45, 1.0)
    curves = levels[..., None] * shape + noise.within * generator.standard_normal((*levels.shape, points))
    if fault == "early":
        late = np.clip((np.linspace(0, 1, points + 1)[1:] - 0.75) / 0.25, 0, None) - 1
        curves[:, 1 + FAULTY] += 0.5 * gains[FAULTY] * late
    if fault == "plateau":
        curves[:, 1 + FAULTY, 0] *= 0.6
    for study in range(studies):
        yield _study(curves[study], differences[study], levels[study], words[study])


def _study(curves: np.ndarray, differences: np.ndarray, levels: np.ndarray, words: np.ndarray) -> Any:
    said = {1: "helps", -1: "hurts", 0: "no evidence"}
    rows = [_row("baseline", "baseline", curves[0], levels[0], None, "baseline")]
    for index, values in enumerate(differences):
        gain = SimpleNamespace(mean=float(values.mean()), spread=float(values.std(ddof=1)), seeds=range(len(values)))
        rows.append(_row(f"p{index}", "variant", curves[index + 1], levels[index + 1], gain, said[words[index]]))
    return SimpleNamespace(rows=rows, unit="bits/spike")


def _row(name: str, role: str, curves: np.ndarray, levels: np.ndarray, gain: Any, verdict: str) -> Any:
    steps = tuple(range(100, 100 * curves.shape[-1] + 1, 100))
    held = tuple(LearningCurve(name, seed, steps, tuple(values.tolist())) for seed, values in enumerate(curves))
    score = SimpleNamespace(mean=float(levels.mean()))
    return SimpleNamespace(name=name, role=role, curves=held, gain=gain, verdict=verdict, score=score)
