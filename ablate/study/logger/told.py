"""A run's job, record and learning curve in, what loggers are told of it out; and the same of a study's verdicts."""

import json
import math
from collections.abc import Iterable, Iterator, Sequence

from ablate.analysis.outcome import StudyAnalysis
from ablate.disk.digest import text_hash
from ablate.disk.read import Json
from ablate.logger import LoggedRun, Number, Point, RunEnd
from ablate.result import RunRecord, StudyManifest
from ablate.study.running.job import RunJob

CURVE = ("loss", "penalty", "lr", "grad_norm")
MIB = 2**20


def logged_job(job: RunJob, manifest: StudyManifest) -> LoggedRun:
    """Of a run that is to be trained."""
    return _logged(job.key, job.variant, job.seed, job.fold, job.configuration.model_dump(mode="json"), manifest)


def logged_record(record: RunRecord, manifest: StudyManifest) -> LoggedRun:
    """Of one that has ended: the same as of its job."""
    return _logged(record.key, record.variant, record.seed, record.fold, record.config, manifest)


def _logged(key: str, variant: str, seed: int, fold: str, config: Json, manifest: StudyManifest) -> LoggedRun:
    tags = {"study": manifest.name, "variant": variant, "seed": str(seed), "metric": manifest.metric, "key": key}
    tags |= {"fold": fold} if fold else {}
    tags |= {"rehearsal": "yes"} if manifest.rehearsal else {}
    name = f"{variant} seed {seed}" + (f" fold {fold}" if fold else "")
    return LoggedRun(key, manifest.name, variant, name, tags, dict(flat(config)))


def flat(config: Json, path: str = "") -> Iterator[tuple[str, str | Number | bool]]:
    """A configuration as one value a key path; lists and nothing at all as JSON."""
    for name, value in config.items():
        if isinstance(value, dict) and value:
            yield from flat(value, f"{path}{name}.")
        else:
            yield path + name, value if isinstance(value, str | int | float) else json.dumps(value)


def points(rows: Sequence[Json]) -> list[Point]:
    """Rows of a learning curve, their names as loggers group them."""
    return [Point(int(row["step"]), _finite(_numbers(row))) for row in rows]


def _numbers(row: Json) -> Iterator[tuple[str, object]]:
    yield from ((f"train/{name}", row.get(name)) for name in CURVE)
    yield "validation/score", row.get("validation")
    yield from ((f"gates/{name}", value) for name, value in (row.get("gates") or {}).items())


def run_end(record: RunRecord) -> RunEnd:
    """How a run ended: scores, what was measured of it, and what it used."""
    assert record.state != "interrupted", "it goes on"
    usage, test, validation = record.usage, record.test, record.validation
    numbers: dict[str, object] = {f"final/{name}": value for name, value in record.measures.items()}
    numbers["final/test"] = test and test.headline
    numbers["final/validation"] = validation and validation.headline
    numbers["model/parameters"] = record.cost and record.cost.total_parameters
    if usage is not None:
        numbers["usage/seconds"], numbers["usage/cpu_seconds"] = usage.seconds, usage.cpu_seconds
        numbers["usage/step_milliseconds"] = usage.step_milliseconds
        numbers["usage/peak_memory_mib"] = usage.peak_memory_bytes / MIB
        numbers["usage/best_step"] = usage.best_step
    texts = {"reason": record.reason} if record.reason else {}
    return RunEnd(record.state, usage.steps if usage else 0, _finite(numbers.items()), texts)


def summary(analysis: StudyAnalysis) -> tuple[LoggedRun, RunEnd]:
    """A study's gains and verdicts as a run of its own. Its key is made of them: the same ones are told once."""
    numbers: dict[str, object] = {}
    texts = {"answer": analysis.answer}
    for row in analysis.rows:
        numbers[f"score/{row.name}"] = row.score and row.score.mean
        texts[f"verdict/{row.name}"] = row.verdict
        if (gain := row.gain) is not None:
            numbers[f"gain/{row.name}"] = gain.mean
            numbers[f"gain_percent/{row.name}"] = None if gain.relative is None else 100 * gain.relative
            if gain.interval is not None:
                numbers[f"gain_low/{row.name}"], numbers[f"gain_high/{row.name}"] = (
                    gain.interval.low,
                    gain.interval.high,
                )
    end = RunEnd("done", 0, _finite(numbers.items()), texts)
    key = text_hash(json.dumps([dict(end.numbers), texts], sort_keys=True))
    tags = {"study": analysis.name, "metric": analysis.metric, "key": key}
    told: dict[str, str | Number | bool] = {
        "question": analysis.question,
        "seeds": json.dumps(analysis.seeds),
        "worth": analysis.rule.worth,
    }
    return LoggedRun(key, analysis.name, "study", "study", tags, told), end


def _finite(numbers: Iterable[tuple[str, object]]) -> dict[str, float]:
    return {name: float(value) for name, value in numbers if isinstance(value, int | float) and math.isfinite(value)}
