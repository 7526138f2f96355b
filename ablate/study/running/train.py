"""One run, from its configuration to its folder: open the data, build, fit, score, store. The work of every worker."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import torch
from safetensors.torch import save_model

from ablate.config import Config
from ablate.contract import Dataset, Model
from ablate.disk.digest import text_hash
from ablate.disk.read import Json
from ablate.disk.stamp import stamp_of
from ablate.errors import AblateError
from ablate.execution.job import Busy, Interrupted, Stop
from ablate.recipe import Configuration
from ablate.result import ModelCost, RunRecord, Score, Store, canonical_json, environment
from ablate.result.progress import curve_path, progress_path
from ablate.result.record import RunState
from ablate.study.running.progress import ProgressFile
from ablate.training import Checkpoints, EntryTable, FitResult, evaluate, fit, pick_device, seeded, stream_seed
from ablate.training.device import device_driver, device_name, resolve_precision
from ablate.training.likelihood import dispersion_measure, dispersions, with_likelihood
from ablate.training.repeated import evaluate_repeats, fev_score

MOST_OPEN = 2
"""Data sets that a process keeps: the study's own, and that of a patch to the data."""

_opened: dict[tuple[str, str], Dataset] = {}


class RunJob(Config):
    """Everything that a worker must know of a run, as plain data."""

    store: str
    """The study's folder."""
    study: str
    variant: str
    key: str
    seed: int
    fold: str = ""
    """Of a cross-validation; `configuration` is in it."""
    configuration: Configuration
    cost: ModelCost | None = None
    data_fingerprint: str = ""
    device: str = "auto"
    threads: int | None = None
    rehearsal: bool = False
    recipe_text: str = ""
    """The recipe as written, kept beside the record."""
    replaces: str = ""
    """Hash of the record in place that is to be trained again. Another record means that somebody else did so."""
    afresh: bool = False
    """Leave the checkpoints of an earlier try aside."""

    @property
    def label(self) -> str:
        return f"{self.variant} seed {self.seed}" + (f" fold {self.fold}" if self.fold else "")


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
        _train(job, store, stop=lambda: stop.requested)


def is_there(store: Store, job: RunJob) -> bool:
    """Whether the run has come to its end already, here or in another process. A damaged record is no end."""
    record = readable_record(store, job.key)
    return record is not None and record.state != "interrupted" and record_hash(record) != job.replaces


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
    data's metric makes no sense for it, and where weights to start from are gone.
    """
    with seeded(stream_seed(seed, "init", configuration.training.reseed)):
        model: Model = configuration.model.build(dataset.spec)
    if dataset.metric == "fev" and model.reads_spikes:
        what = "FEV asks what the stimulus explains of repeats, and this model reads the spikes of each showing"
        raise AblateError(what, where="metric", hint="write `metric: correlation`")
    if not fitted:
        model.begin()
    return with_likelihood(model, configuration.training, dataset.spec).to(device)


def _train(job: RunJob, store: Store, *, stop: Callable[[], bool]) -> None:
    """The run itself, under its lock."""
    started = _now()
    if job.threads is not None:
        torch.set_num_threads(job.threads)
    device = pick_device(job.device)
    dataset = open_data(job.configuration, device)
    model = build_model(job.configuration, dataset, job.seed, device)

    if job.afresh:
        store.drop_checkpoints(job.key)
    steps = job.configuration.training.steps
    places = (progress_path(store, job.key), curve_path(store, job.key))
    listener = ProgressFile(*places, variant=job.variant, seed=job.seed, steps=steps, device=device)
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
        )
        if result.state == "interrupted":
            raise Interrupted(result.reason or "stopped; its place is kept")
        _keep(job, store, result, dataset, started=started, device=device)
    finally:
        listener.close()


def _keep(
    job: RunJob, store: Store, result: FitResult, dataset: Dataset, *, started: str, device: torch.device
) -> None:
    """Scores the kept weights and moves the run into its place."""
    with store.writer(job.key) as run:
        record = _record(job, result, started=started, device=device)
        if result.state == "done":
            try:
                scores, table = _scores(result.model, dataset, job.configuration, device)
            except FloatingPointError as error:
                record = record.model_copy(update={"state": "diverged", "reason": f"when scored: {error}"})
            else:
                dispersed = dispersions(result.model, dataset.spec)
                measures = {**result.model.measures(), **dispersion_measure(dispersed)}
                record = record.model_copy(update={**scores, "measures": measures})
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
    model: Model, dataset: Dataset, configuration: Configuration, device: torch.device
) -> tuple[dict[str, Score], EntryTable]:
    """Validation and test scores of the kept weights, the per-unit table of the test split, and what repeats say."""
    training = configuration.training
    settings: Json = {
        "batch_size": training.micro_batch_size,
        "device": device,
        "precision": training.precision,
    }
    validation, _ = evaluate(model, dataset, "validation", **settings)
    repeats = evaluate_repeats(model, dataset, **settings)
    if dataset.metric == "fev":
        test, table = fev_score(repeats, dataset.scored_hash("test"))
    else:
        test, table = evaluate(model, dataset, "test", **settings)
    return {"validation": validation, "test": test}, replace(table, repeats=repeats)


def device_facts(job: RunJob, device: torch.device, *, threads: int | None) -> Json:
    """What a record tells of where its run was trained. Starts no GPU."""
    training = job.configuration.training
    return {
        "name": None if device.type == "cuda" else device_name(device),
        "type": device.type,
        "precision": resolve_precision(device, training.precision),
        "threads": threads,
        "cuda": torch.version.cuda if device.type == "cuda" else None,
        "driver": device_driver(device),
        "compiled": training.compile,
    }


def _record(job: RunJob, result: FitResult, *, started: str, device: torch.device) -> RunRecord:
    where = device_facts(job, device, threads=torch.get_num_threads()) | {"name": device_name(device)}
    return run_record(
        job,
        state="done" if result.state == "done" else "diverged",
        reason=result.reason,
        usage=result.usage(),
        environment=environment(device=where, results=Store(job.store).root.parent),
        started=started,
    )


def run_record(job: RunJob, *, state: RunState, reason: str = "", started: str = "", **fields: Any) -> RunRecord:
    """The record of a run without its scores, for example of one that failed. fields: others of the record's."""
    if "environment" not in fields:
        fields["environment"] = environment(results=Store(job.store).root.parent)
    return RunRecord(
        key=job.key,
        study=job.study,
        variant=job.variant,
        seed=job.seed,
        fold=job.fold,
        state=state,
        reason=reason,
        rehearsal=job.rehearsal,
        config=job.configuration.model_dump(mode="json"),
        data_fingerprint=job.data_fingerprint,
        cost=job.cost,
        started=started or _now(),
        finished=_now(),
        **fields,
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
