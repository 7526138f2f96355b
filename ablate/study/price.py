"""A request in, what its study will cost out: a few steps of every variant are timed on the device. Writes nothing.

    seconds of a run = steps * step + evaluations * validation sweep + validation and test sweep at the end

Where a variant has finished runs in the results folder, their measured times stand instead of the estimate.
"""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import torch
from torch import nn

from ablate.analysis.statistics.noise import smallest_detectable_gain, unpaired_spread
from ablate.contract import Dataset, Model, Split
from ablate.errors import Problem
from ablate.execution.job import is_out_of_memory, why
from ablate.recipe import Configuration
from ablate.request import Request
from ablate.result import RunRecord, VariantEntry
from ablate.study.memory import predicted
from ablate.study.retune import SEARCH_SEEDS, settings_of_search
from ablate.study.running.job import RunJob
from ablate.study.running.missing import missing
from ablate.study.running.train import build_model, open_data
from ablate.study.running.workers import settings_of
from ablate.study.study import Study, study_of
from ablate.training import TrainingConfig, pick_device, seeded, stream_seed
from ablate.training.device import autocast, float32_math, peak_memory, reset_peak_memory, synchronize
from ablate.training.evaluate import evaluating
from ablate.training.optimization.schedule import evaluation_due
from ablate.training.optimization.step import Learner

COLD_STEPS, MOST_STEPS = 2, 20
STEPPING_SECONDS = 1.5
"""Enough for a step time within some percent, little enough for a table of twenty variants."""
SWEPT_BATCHES = 3


@dataclass(frozen=True)
class Timing:
    """What a few steps took. milliseconds: of one step. peak_memory: bytes."""

    milliseconds: float
    peak_memory: int


@dataclass(frozen=True)
class VariantPrice:
    """One row. seconds: of one run; None where it could not be timed, and then `problem` says why."""

    entry: VariantEntry
    done: int
    left: int
    timing: Timing | None
    seconds: float | None
    measured: bool
    """`seconds` comes from finished runs."""
    problem: str = ""
    predicted: int | None = None
    """Bytes that a training step takes on a card, by shapes alone."""


@dataclass(frozen=True)
class StudyPrice:
    """The whole study. detectable: the smallest gain that its seeds can find, None before two are done."""

    study: Study
    device: str
    workers: int
    threads: int | None
    variants: tuple[VariantPrice, ...]
    left: int
    seconds: float
    detectable: float | None
    baseline: float | None
    baseline_runs: int
    search: tuple[int, float] = (0, 0.0)
    """Of the recipe's search: most runs of the baseline, and of each row ahead; seconds of both if one row is ahead."""
    confirmation: tuple[int, float] = (0, 0.0)
    """Of `--confirm`: runs and seconds of the baseline and one row."""
    too_large: tuple[Problem, ...] = ()
    """Variants whose training step does not fit the device, by what is predicted."""


def price_study(request: Request, tell: Callable[[str], None] = lambda doing: None) -> StudyPrice:
    """Times every variant that has runs to go. Raises AblateError for what `ablate run` would refuse."""
    study = study_of(request, tell)
    todo = missing(study, request)
    settings = settings_of(request, study.execution, max(1, len(todo)))
    records = study.store.scan().records
    stopwatch = Stopwatch(request, settings.threads, settings.processes)
    rows, memory = [], predicted(study, request, tell)
    for entry in study.manifest.variants:
        jobs = [job for job in study.jobs if job.key in entry.run_keys]
        left = [job for job in todo if job.key in entry.run_keys]
        if left:
            tell(f"timing {entry.name}")
        finished = [records[job.key] for job in jobs if job.key in records and records[job.key].state == "done"]
        row = price_variant(entry, jobs, left, finished, stopwatch)
        step = memory.steps.get(entry.name)
        rows.append(replace(row, predicted=step.peak if step else None))
    seconds = {row.entry.name: row.seconds or 0.0 for row in rows}
    scores = baseline_scores(study, records)
    return StudyPrice(
        study=study,
        device=str(stopwatch.device),
        workers=settings.counted,
        threads=settings.threads,
        variants=tuple(rows),
        left=len(todo),
        seconds=sum(seconds.get(job.variant, 0.0) for job in todo) / settings.counted,
        detectable=detectable_gain(study, scores),
        baseline=statistics.fmean(scores) if scores else None,
        baseline_runs=len(scores),
        search=_search(study, request, seconds, settings.counted),
        confirmation=_confirmation(study, request, seconds, settings.counted),
        too_large=memory.too_large,
    )


def _search(study: Study, request: Request, seconds: dict[str, float], workers: int) -> tuple[int, float]:
    """Every setting but the one as written at the search's seeds, and the best at the study's others."""
    if not study.recipe.retune or request.retune == "none" or request.quick:
        return 0, 0.0
    seeds = len(study.manifest.seeds)
    tried = (len(settings_of_search(study.recipe, ())) - 1) * min(seeds, SEARCH_SEEDS)
    runs = tried + max(seeds - SEARCH_SEEDS, 0)
    return runs, runs * _pair_seconds(study, seconds) / workers


def _confirmation(study: Study, request: Request, seconds: dict[str, float], workers: int) -> tuple[int, float]:
    if request.confirm is None:
        return 0, 0.0
    return 2 * request.confirm, request.confirm * _pair_seconds(study, seconds) / workers


def _pair_seconds(study: Study, seconds: dict[str, float]) -> float:
    """A run of the baseline and one of a patch, which of them is not known yet: the mean of all."""
    patches = [seconds[entry.name] for entry in study.manifest.variants if entry.role == "variant"]
    base = sum(seconds[entry.name] for entry in study.manifest.variants if entry.role == "baseline")
    return base + (statistics.fmean(patches) if patches else 0.0)


def price_variant(
    entry: VariantEntry,
    jobs: Sequence[RunJob],
    left: Sequence[RunJob],
    finished: Sequence[RunRecord],
    stopwatch: "Stopwatch",
) -> VariantPrice:
    """Nothing is timed where nothing is left to run."""
    known = [record.usage.seconds for record in finished if record.usage]
    timing, seconds, problem = None, statistics.median(known) if known else None, ""
    if left:
        try:
            timing, estimate = stopwatch.time(left[0].configuration)
            seconds = estimate if seconds is None else seconds
        except Exception as error:  # a variant that cannot be trained is a row with its reason, as in the study itself
            problem = "out of memory" if is_out_of_memory(error) else why(error)
    return VariantPrice(entry, len(jobs) - len(left), len(left), timing, seconds, bool(known), problem)


class Stopwatch:
    """Times configurations, each model gone before the next is built. together: devices that will train a run; their
    shares are timed on one, and what they tell each other is not."""

    def __init__(self, request: Request, threads: int | None, together: int = 1):
        self.device = pick_device(request.device)
        self._threads, self._together = threads, together
        self._rows: dict[tuple[str, Split], int] = {}

    def time(self, configuration: Configuration) -> tuple[Timing, float]:
        """The timing, and the seconds of a whole run that follow from it."""
        before = torch.get_num_threads()
        try:
            if self._threads:
                torch.set_num_threads(self._threads)
            return self._time(configuration)
        finally:
            torch.set_num_threads(before)
            if self.device.type == "cuda":
                torch.cuda.empty_cache()

    def _time(self, configuration: Configuration) -> tuple[Timing, float]:
        training, device = configuration.training, self.device
        dataset = open_data(configuration, device)
        model = build_model(configuration, dataset, 0, device)
        if training.activation_checkpointing:
            model.recompute()
        if training.compile in (True, "max"):
            model.compile()
        reset_peak_memory(device)
        with seeded(stream_seed(0, "dropout", 0)), float32_math(device, training.precision):
            step = self._step_seconds(model, dataset, share_of(training, self._together))
            batch = self._batch_seconds(model, dataset, configuration)
        timing = Timing(1000 * step, peak_memory(device))
        evaluations = sum(evaluation_due(taken, training) for taken in range(1, training.steps + 1))
        validation = self._batches(dataset, "validation", training.micro_batch_size) * batch / self._together
        test = self._batches(dataset, "test", training.micro_batch_size) * batch / self._together
        return timing, training.steps * step + (evaluations + 1) * validation + test

    def _step_seconds(self, model: Model, dataset: Dataset, training: TrainingConfig) -> float:
        """Median of the warm steps."""
        learner = Learner(model, dataset, training, seed=0, device=self.device)
        model.train()
        spent: list[float] = []
        started = time.monotonic()
        for taken in range(COLD_STEPS + MOST_STEPS):
            begun = time.monotonic()
            learner.step(taken)
            synchronize(self.device)
            spent.append(time.monotonic() - begun)
            if len(spent) > COLD_STEPS and time.monotonic() - started > STEPPING_SECONDS:
                break
        return statistics.median(spent[COLD_STEPS:])

    @torch.no_grad()
    def _batch_seconds(self, model: nn.Module, dataset: Dataset, configuration: Configuration) -> float:
        """Of one batch of an evaluation, the first left out where there are more."""
        training, spent = configuration.training, []
        batches = iter(dataset.sweep("validation", batch_size=training.micro_batch_size))
        with evaluating(model):
            for _ in range(SWEPT_BATCHES):
                begun = time.monotonic()
                for batch in islice(batches, 1):
                    with autocast(self.device, training.precision):
                        model(batch)
                    synchronize(self.device)
                    spent.append(time.monotonic() - begun)
        return statistics.median(spent[1:] or spent or [0.0])

    def _batches(self, dataset: Dataset, split: Split, batch_size: int) -> int:
        """Batches of a sweep; a data set's rows are counted once."""
        key = (dataset.fingerprint, split)
        if key not in self._rows:
            self._rows[key] = sum(batch.size for batch in dataset.sweep(split, batch_size=64))
        return -(-self._rows[key] // batch_size)


def share_of(training: TrainingConfig, devices: int) -> TrainingConfig:
    """What one of several devices computes of each step."""
    pieces = -(-training.accumulate // devices)
    rows = -(-training.batch_size // (devices * pieces))
    return training.model_copy(update={"batch_size": rows * pieces, "accumulate": pieces})


# ------------------------------------------------------------------ what the seeds can tell


def baseline_scores(study: Study, records: dict[str, RunRecord]) -> list[float]:
    """Test scores of the finished runs of the baseline, one a seed."""
    baseline = next((entry for entry in study.manifest.variants if entry.role == "baseline"), None)
    found = [records.get(key) for key in baseline.keys.values()] if baseline else []
    return [record.test.headline for record in found if record is not None and record.test is not None]


def detectable_gain(study: Study, scores: Sequence[float]) -> float | None:
    """From the baseline's seed-to-seed spread, as if pairing helped nothing; corrected for the family of patches."""
    spread = unpaired_spread(scores)
    if spread is None:
        return None
    moderated = study.manifest.analysis.variance == "moderated"
    patches = sum(entry.role == "variant" for entry in study.manifest.variants)
    return smallest_detectable_gain(spread, len(study.manifest.seeds), patches=patches, moderated=moderated)
