"""One run, from its configuration to its folder: open the data, build, fit, score, store. The work of every worker."""

import signal
import socket
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch
from safetensors.torch import save_model

from ablate.contract import Dataset, Model
from ablate.disk.digest import text_hash
from ablate.disk.read import Json
from ablate.disk.stamp import stamp_of
from ablate.errors import AblateError
from ablate.execution.job import Busy, Interrupted, Lost, Misplaced, Stop, why
from ablate.execution.together import together
from ablate.recipe import Configuration
from ablate.result import RunRecord, Score, Store, canonical_json
from ablate.result.environment import usable_cores
from ablate.result.progress import curve_path, progress_path
from ablate.study.running.job import RunJob, fitted_record, now
from ablate.study.running.progress import ProgressFile
from ablate.training import Checkpoints, EntryTable, FitResult, evaluate, fit, pick_device, seeded, stream_seed
from ablate.training.likelihood import dispersion_measure, dispersions, with_likelihood
from ablate.training.ranks import ALONE, LostPeerError, Ranks, joined
from ablate.training.repeated import evaluate_repeats, fev_score

MOST_OPEN = 2
"""Data sets that a process keeps: the study's own, and that of a patch to the data."""

_opened: dict[tuple[str, str], Dataset] = {}


def train_run(payload: Json) -> None:
    """Trains one run and moves it into place. Raises Interrupted when stopped, and Busy when a live process trains it
    or has just done so.

    Whatever else is raised is this run's failure; the caller records it.
    """
    job = RunJob.model_validate(payload)
    store = Store(job.store)
    lock = store.lock_run(job.key)
    if lock is None:
        raise Busy(f"{job.label} is being trained by {store.holder(job.key)}")
    stop = Stop()
    with lock, stop.listening():
        if is_there(store, job):
            raise Busy(f"{job.label} is in place already")
        if job.afresh:
            store.drop_checkpoints(job.key)
        if job.devices > 1:
            log, threads = store.log_path(job.key), job.threads or max(1, usable_cores() // job.devices)
            shared = job.model_copy(update={"afresh": False, "threads": threads})
            given = {"job": shared.model_dump(mode="json")}
            together(RANK, given, job.devices, log=log, threads=threads, stop=stop)
        else:
            _train(job, store, stop=lambda: stop.requested)


def train_rank(payload: Json) -> None:
    """The part of one of the processes that train a run together; the one that called them holds the run's lock."""
    job = RunJob.model_validate(payload["job"])
    stop = Stop()
    with stop.listening():
        for number in (signal.SIGUSR1, signal.SIGUSR2):  # SLURM warns every process of a job
            signal.signal(number, lambda number, frame: stop.request())
        device, rank = pick_device(job.device), payload["rank"]
        device = pick_device(f"cuda:{rank}") if device.type == "cuda" else device
        try:
            with joined(Path(payload["meeting"]), rank, job.devices, device) as ranks:
                _train(job, Store(job.store), stop=lambda: stop.requested, device=device, ranks=ranks)
        except LostPeerError as error:
            raise Lost(str(error)) from None


RANK = f"{train_rank.__module__}:{train_rank.__name__}"


def is_there(store: Store, job: RunJob) -> bool:
    """Whether the run has come to its end already, here or in another process. A damaged record is no end."""
    record = readable_record(store, job.key)
    return record is not None and counts(record, job)


def counts(record: RunRecord, job: RunJob) -> bool:
    """Whether this record is an end of the run, and not the one that is to be trained again."""
    return record.state != "interrupted" and record_hash(record) != job.replaces


def readable_record(store: Store, key: str) -> RunRecord | None:
    """The record of a run; None where there is none or where it is damaged."""
    try:
        return store.record(key) if store.has(key) else None
    except AblateError:
        return None


def record_hash(record: RunRecord) -> str:
    """Tells one record of a run from the next."""
    return text_hash(record.model_dump_json())


def open_data(configuration: Configuration, device: torch.device) -> Dataset:
    """The opened data of a configuration; a process keeps the last two, since most variants share theirs, while nobody
    touches the files."""
    text = canonical_json(configuration.data.model_dump(mode="json")) + stamp_of(configuration.data.sources())
    key, on_host = (text, str(device)), _opened.get((text, "cpu"))
    if key not in _opened:
        if len(_opened) >= MOST_OPEN:
            _opened.pop(next(iter(_opened)))
        _opened[key] = on_host.to(device) if on_host is not None else configuration.data.open(device)
    return _opened[key]


def fingerprint_of(configuration: Configuration, dataset: Dataset, fold: str) -> str:
    """What the key of a run was made of: the fingerprint of its data, in a fold that of its folds' data as a whole."""
    return configuration.data.in_fold(None).open(torch.device("cpu")).fingerprint if fold else dataset.fingerprint


def planned_data(job: RunJob, device: torch.device) -> Dataset:
    """The data of a run. Raises Misplaced where this machine does not see them, or sees others than the key says."""
    sources, host = job.configuration.data.sources(), socket.gethostname()
    try:
        dataset = open_data(job.configuration, device)
    except AblateError as error:
        if sources and not stamp_of(sources):
            raise Misplaced(f"{host} does not see the data that the study was planned with: {why(error)}") from error
        raise
    planned = job.data_fingerprint
    if planned and fingerprint_of(job.configuration, dataset, job.fold) != planned:
        named = f" at {', '.join(sources)}" if sources else ""
        raise Misplaced(f"{host} sees other data{named} than the study was planned with")
    return dataset


def share_data(payload: Json) -> None:
    """Opens data where the processes of runs are forked from: opened once, memory-mapped, shared and not copied."""
    torch.set_num_threads(1)  # threads could not be forked
    for given in payload["configurations"][:MOST_OPEN]:
        configuration = Configuration.model_validate(given)
        if configuration.model.type == "fusion":
            import timm  # noqa: F401  # frame encoders import it when they are built: here once for all runs
        open_data(configuration, torch.device("cpu"))


def build_model(
    configuration: Configuration, dataset: Dataset, seed: int, device: torch.device, *, fitted: bool = False
) -> Model:
    """The model with the initial weights of a seed: the same bits on every device, since they are drawn on the CPU.

    fitted: other weights will take their place, so that nothing need be read for them. Raises AblateError where the
    data's metric makes no sense for it, and where weights to start from, or the user's own code, are gone or others.
    """
    if not fitted:
        configuration.model.refuse_changes()
    with seeded(stream_seed(seed, "init", configuration.training.reseed)):
        model: Model = configuration.model.build(dataset.spec)
    if dataset.metric == "fev" and model.reads_spikes:
        what = "FEV asks what the stimulus explains of repeats, and this model reads the spikes of each showing"
        raise AblateError(what, where="metric", hint="write `metric: correlation`")
    if not fitted:
        model.begin()
    return with_likelihood(model, configuration.training, dataset.spec).to(device)


def _train(
    job: RunJob,
    store: Store,
    *,
    stop: Callable[[], bool],
    device: torch.device | None = None,
    ranks: Ranks = ALONE,
) -> None:
    """The run itself, under its lock."""
    started = now()
    if job.threads is not None:
        torch.set_num_threads(job.threads)
    device = device or pick_device(job.device)
    dataset = planned_data(job, device)
    model = build_model(job.configuration, dataset, job.seed, device)
    listener = _listener(job, store, device) if ranks.first else None
    try:
        result = fit(
            model,
            dataset,
            job.configuration.training,
            seed=job.seed,
            device=device,
            listener=listener,
            checkpoints=Checkpoints(store.checkpoints(job.key)),
            stop=stop,
            ranks=ranks,
        )
        if result.state == "interrupted":
            raise Interrupted(result.reason or "stopped; its place is kept")
        record, table = _scored(job, result, dataset, started=started, device=device, ranks=ranks)
        if ranks.first:
            _keep(job, store, result, record, table, dataset)
    finally:
        if listener is not None:
            listener.close()


def _listener(job: RunJob, store: Store, device: torch.device) -> ProgressFile:
    steps, places = job.configuration.training.steps, (progress_path(store, job.key), curve_path(store, job.key))
    return ProgressFile(*places, variant=job.variant, seed=job.seed, steps=steps, device=device, devices=job.devices)


def _scored(
    job: RunJob, result: FitResult, dataset: Dataset, *, started: str, device: torch.device, ranks: Ranks
) -> tuple[RunRecord, EntryTable | None]:
    """The run's record, with the scores of the kept weights and the table of the test split if it came to its end."""
    record = fitted_record(job, result, started=started, device=device)
    if result.state != "done":
        return record, None
    try:
        scores, table = _scores(result.model, dataset, job.configuration, device, ranks)
    except FloatingPointError as error:
        return record.model_copy(update={"state": "diverged", "reason": f"when scored: {error}"}), None
    dispersed = dispersions(result.model, dataset.spec)
    measures = {**result.model.measures(), **dispersion_measure(dispersed)}
    return record.model_copy(update={**scores, "measures": measures}), table


def _keep(
    job: RunJob, store: Store, result: FitResult, record: RunRecord, table: EntryTable | None, dataset: Dataset
) -> None:
    """Moves the run into its place. table: None where it was not scored."""
    with store.writer(job.key) as run:
        if table is not None:
            dispersed = dispersions(result.model, dataset.spec)
            told = {"dispersion": dispersed} if dispersed else {}
            run.write_json("units.json", {**table.to_json(), **told})
            if table.predictions is not None:
                run.write_text("predictions.csv", table.predictions.to_csv(dataset.entry_names("test")))
            save_model(result.model, str(run.folder / "weights.safetensors"))
        run.write_lines("history.jsonl", result.history)
        if job.recipe_text:
            run.write_text("recipe.yaml", job.recipe_text)
        if store.log_path(job.key).is_file():
            run.adopt(store.log_path(job.key), "log.txt")
        run.commit(record, replace=True)
    store.settle(job.key)


def _scores(
    model: Model, dataset: Dataset, configuration: Configuration, device: torch.device, ranks: Ranks
) -> tuple[dict[str, Score], EntryTable]:
    """Validation and test scores of the kept weights, the per-unit table of the test split, and what repeats say, which
    every rank asks for itself."""
    training = configuration.training
    settings: Json = {
        "batch_size": training.micro_batch_size,
        "device": device,
        "precision": training.precision,
    }
    validation, _ = evaluate(model, dataset, "validation", ranks=ranks, **settings)
    repeats = evaluate_repeats(model, dataset, **settings)
    if dataset.metric == "fev":
        test, table = fev_score(repeats, dataset.scored_hash("test"))
    else:
        test, table = evaluate(model, dataset, "test", ranks=ranks, **settings)
    return {"validation": validation, "test": test}, replace(table, repeats=repeats)
