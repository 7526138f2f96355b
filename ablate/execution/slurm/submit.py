"""Jobs and settings in, one array in SLURM's queue out, by submitit: `execution:` in its words."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ablate.errors import AblateError
from ablate.execution.job import Job, Settings
from ablate.execution.slurm.options import SlurmOptions
from ablate.execution.slurm.queue import most_tasks
from ablate.execution.slurm.task import Order, perform
from ablate.execution.slurm.ticket import Ticket, new_ticket


def submit(jobs: Sequence[Job], work: str, settings: Settings, logs: Path, tickets: Path) -> list[Ticket]:
    """One array, or as few as the cluster's largest allows. Raises AblateError, with SLURM's words, if it refuses.

    Those that were submitted before a refusal are in the queue, and are taken up by the next call.
    """
    most = most_tasks()
    pieces = [jobs[at : at + most] for at in range(0, len(jobs), most)]
    at_once = max(1, settings.workers // len(pieces))
    return [_submit(piece, work, settings, at_once, logs, tickets) for piece in pieces]


def _submit(jobs: Sequence[Job], work: str, settings: Settings, at_once: int, logs: Path, tickets: Path) -> Ticket:
    import submitit
    from submitit.core.utils import FailedJobError

    ticket = new_ticket(tickets, [job.key for job in jobs])
    order = Order(
        work=work,
        folder=str(ticket.folder.resolve()),
        logs=str(logs.resolve()),
        threads=settings.threads or 1,
        timeout=settings.timeout,
        path=tuple(sys.path),
    )
    options = options_of(settings)
    try:
        executor = submitit.SlurmExecutor(ticket.folder.resolve(), python=options.python)
        executor.update_parameters(**parameters(settings, options, ticket.name, at_once))
        executor.map_array(perform, [order] * len(jobs), jobs)
    except FailedJobError as error:
        ticket.remove()
        words = " ".join(str(error).split())
        hint = "`execution: {slurm: {partition: ..., account: ...}}` in the recipe or the site's file"
        raise AblateError(f"SLURM refused the jobs: {words[-400:]}", where="--engine slurm", hint=hint) from None
    except RuntimeError as error:  # no srun
        ticket.remove()
        raise AblateError(str(error), where="--engine slurm", hint="say this on a login node of the cluster") from None
    return ticket


def options_of(settings: Settings) -> SlurmOptions:
    return settings.options if isinstance(settings.options, SlurmOptions) else SlurmOptions()


def parameters(settings: Settings, options: SlurmOptions, name: str, at_once: int) -> dict[str, Any]:
    """The words of submitit. What was not said is left to the cluster."""
    gpus = int(settings.gpus)
    if gpus != settings.gpus or settings.shares:
        word = "auto" if settings.shares else f"{settings.gpus:g}"
        what = f"`execution.gpus` is {word}, and SLURM gives whole GPUs"
        raise AblateError(what, where="--engine slurm", hint="write 0 or 1")
    said: dict[str, Any] = {
        "job_name": name,
        "time": None if settings.hours is None else max(1, round(settings.hours * 60)),
        "mem": None if settings.memory_gb is None else f"{max(1, round(settings.memory_gb * 1024))}M",
        "cpus_per_task": settings.cores,
        "ntasks_per_node": 1,
        "nodes": 1,
        "gpus_per_node": gpus or None,
        "partition": options.partition,
        "account": options.account,
        "qos": options.qos,
        "constraint": options.constraint,
        "setup": list(options.setup) or None,
        "array_parallelism": at_once,
        "signal_delay_s": options.signal_seconds,
        "stderr_to_stdout": True,
        "additional_parameters": {"requeue": True, **options.extra},
    }
    return {name: value for name, value in said.items() if value is not None}
