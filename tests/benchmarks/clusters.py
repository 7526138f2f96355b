"""What the command itself costs a large study on SLURM and on Ray: 10,000 runs of a second on 1,000 workers, and 1,000
runs of which one in ten is preempted, or loses its node.

python tests/benchmarks/clusters.py [--runs 10000] [--workers 1000] [--seconds 1] [--keep]

`sbatch`, `squeue` and `scontrol`, or the module `ray`, are answered by a simulated cluster (tests/simulated_slurm.py,
tests/simulated_ray.py) in a process of its own; all else is as ever: the plan, submitit's pickles, the watch, the
records, the end, and `ablate report`. A simulated run leaves the files of a run that was trained.
"""

import argparse
import json
import multiprocessing
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from multiprocessing.connection import Connection
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]

from kept import Sheet, ask_to_keep, measuring  # noqa: E402
from simulated_ray import News, SimulatedRay, Table  # noqa: E402
from simulated_slurm import MOST_TASKS, SimulatedSlurm  # noqa: E402
from tiny_study import request_of, write_recipe  # noqa: E402

SECTION = "variants: [each]\nseeds: [0]\nglm: false\nexecution: {{engine: {engine}, workers: {workers}}}\n"


@dataclass(frozen=True)
class Case:
    """What is simulated. one_in: so many runs one is cut short, 0 for none. requeues: whether SLURM puts it back."""

    engine: str
    runs: int
    one_in: int = 0
    requeues: bool = True

    def title(self, options: argparse.Namespace) -> str:
        cut = "put back by SLURM" if self.requeues else "cancelled by the site"
        how = (
            f", 1 in {self.one_in} preempted, {cut}"
            if self.engine == "slurm"
            else f", 1 in {self.one_in} loses its node"
        )
        where = {"slurm": "SLURM", "ray": "Ray"}[self.engine]
        runs = f"{where}: {self.runs:,} runs of {options.seconds:g} s on {options.workers:,} workers"
        return runs + (how if self.one_in else "")


def finisher(arguments: dict) -> Callable[[str], None]:
    runs, table, templates = Path(arguments["runs"]), arguments["table"], arguments["templates"]

    def finish(key: str) -> None:
        """What a run leaves: the files of the trained one, under this key and seed."""
        variant, seed = table[key]
        place = runs / f".partial-{key}"
        place.mkdir(parents=True)
        for name, text in templates[variant].items():
            (place / name).write_text(text.replace("KEY", key).replace('"SEED"', str(seed)))
        place.rename(runs / key)

    return finish


def chosen(one_in: int) -> Callable[[str], bool]:
    """Whether a run is cut short."""
    return lambda key: one_in > 0 and int(key, 16) % one_in == 0


def slurm_process(pipe: Connection, arguments: dict) -> None:
    """The simulated cluster, answering what comes over the pipe."""
    case, finish = arguments["case"], finisher(arguments)
    cut, seconds = chosen(case.one_in), arguments["seconds"]
    cluster = SimulatedSlurm(arguments["workers"], seconds, cut, finish, case.requeues)
    while True:
        if pipe.poll(0.005):
            question, given = pipe.recv()
            if question == "submit":
                pipe.send(cluster.submit(Path(given), time.monotonic()))
            elif question == "squeue":
                pipe.send(cluster.squeue(given))
            else:
                often = max(cluster.begun.values(), default=0)
                pipe.send((cluster.last, cluster.most_running, sum(cluster.begun.values()), often))
                return
        cluster.advance(time.monotonic())


def ray_process(pipe: Connection, arguments: dict) -> None:
    """The same for Ray: takes tasks, and sends the news of those that have ended."""
    case, finish = arguments["case"], finisher(arguments)
    table = Table(arguments["workers"], arguments["seconds"], chosen(case.one_in), finish)
    while True:
        if pipe.poll(0.005):
            given = pipe.recv()
            if given is None:
                pipe.send((table.last, table.most_running, sum(table.begun.values()), max(table.begun.values())))
                return
            table.give(*given, time.monotonic())
        if news := table.advance(time.monotonic()):
            pipe.send(news)


def put_slurm(pipe: Connection) -> None:
    """The simulated cluster in the place of SLURM's commands."""
    import submitit.slurm.slurm as theirs

    from ablate.execution.slurm import queue

    def ask(*words: str) -> str:
        if words[0] == "scontrol":
            return f"MaxArraySize = {MOST_TASKS}\n"
        pipe.send(("squeue", words[-1].removeprefix("--name=").split(",")))
        return str(pipe.recv())

    def sbatch(self: object, file: Path) -> list[str]:
        pipe.send(("submit", str(file)))
        return ["echo", f"Submitted batch job {pipe.recv()}"]

    queue.ask = ask
    theirs.SlurmExecutor._make_submission_command = sbatch
    theirs.SlurmExecutor.affinity = classmethod(lambda kind: 2)


def put_ray(pipe: Connection) -> None:
    """The simulated Ray in the place of the module."""
    from ablate.execution import engine

    def hear(seconds: float) -> list[News]:
        news: list[News] = []
        while pipe.poll(0 if news else seconds):
            news += pipe.recv()
        return news

    sys.modules["ray"] = SimulatedRay(lambda *given: pipe.send(given), hear)
    engine.find_spec = lambda name: object()


def resident() -> float:
    """MiB of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


def simulate(folder: Path, options: argparse.Namespace, sheet: Sheet, case: Case) -> None:
    from ablate.result import Store
    from ablate.study.flow import run_study
    from ablate.study.running.watcher import Watcher
    from ablate.study.study import study_of

    runs = case.runs
    recipe = write_recipe(folder, tail=SECTION.format(engine=case.engine, workers=options.workers))
    process, put = {"slurm": (slurm_process, put_slurm), "ray": (ray_process, put_ray)}[case.engine]
    trained = run_study(request_of(recipe, folder / "trained")).study.store
    templates = {}
    for record in trained.records():
        told = record.model_copy(update={"key": "KEY"}).model_dump(mode="json") | {"seed": "SEED"}
        files = {name: (trained.folder(record.key) / name).read_text() for name in ("units.json", "history.jsonl")}
        templates[record.variant] = {"record.json": json.dumps(told), **files}
    request = request_of(recipe, folder / "out", inline=False, seeds=f"0-{runs // 2 - 1}")
    table = {job.key: (job.variant, job.seed) for job in study_of(request).jobs}
    store = Store.of(folder / "out", "tiny")

    here, there = multiprocessing.Pipe()
    arguments = {
        "runs": str(store.runs),
        "table": table,
        "templates": templates,
        "workers": options.workers,
        "seconds": options.seconds,
        "case": case,
    }
    cluster = multiprocessing.get_context("spawn").Process(target=process, args=(there, arguments), daemon=True)
    cluster.start()
    put(here)

    class Clock(Watcher):
        """Processor and clock time at the plan, at the first end heard, when all is submitted, and at the last."""

        def __init__(self) -> None:
            self.ended = 0
            self.memory: dict[int, float] = {}
            self.processor: list[float] = []
            self.at: list[float] = []

        def mark(self) -> None:
            self.processor.append(time.process_time() - started_at)
            self.at.append(time.monotonic())

        def planned(self, study: object, todo: object) -> None:
            self.mark()

        def event(self, event: object) -> None:
            if event.kind == "ended":
                self.ended += 1
                if self.ended in (1, runs):
                    self.mark()
                if self.ended % (runs // 5) == 0 or self.ended == 1:
                    self.memory[self.ended] = resident()

    clock = Clock()
    begun, started_at = time.monotonic(), time.process_time()
    end = run_study(request, clock)
    here.send(("end", None) if case.engine == "slurm" else None)
    last, most, starts, often = here.recv()
    assert (end.trained, end.failures, len(store.keys()), clock.ended) == (runs, (), runs, runs)
    spent = [0.0, *clock.processor, time.process_time() - started_at]
    plan, submit, watch, close = (later - earlier for earlier, later in pairwise(spent))
    ideal, waited = runs * options.seconds / options.workers, last - clock.at[1]
    title = case.title(options)
    sheet.figures[title] = {
        "begun": starts,
        "processor_s": {"plan": plan, "submit": submit, "watch": watch, "close": close},
        "resident_mib": clock.memory,
    }
    sheet.say(title)
    sheet.say(f"  begun {starts:,} times, none more than {often}; {most:,} at once")
    sheet.say(f"  processor time: plan {plan:.1f} s, submit {submit:.1f} s, watch {watch:.1f} s, sum up {close:.1f} s")
    sheet.say(
        f"  submit and watch: {1e3 * (submit + watch) / runs:.2f} ms a run, "
        f"{100 * (submit + watch) / runs / options.seconds:.2f} % of what the runs take"
    )
    sheet.say(
        f"  on the clock: plan {clock.at[0] - begun:.1f} s, submit {clock.at[1] - clock.at[0]:.1f} s, "
        f"{waited:.1f} s until the last run ended, heard {clock.at[2] - last:.1f} s later; ideal {ideal:.0f} s in all"
    )
    sheet.say("  resident MiB when so many had ended: " + ", ".join(f"{n:,}: {m:.0f}" for n, m in clock.memory.items()))
    for words in (("report",), ("status",)):
        started, used = time.monotonic(), children()
        subprocess.run(
            [sys.executable, "-m", "ablate", *words, str(store.root)],
            check=False,
            stdout=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
        )
        waited = time.monotonic() - started
        sheet.figures[title][f"{words[0]}_s"] = round(children() - used, 1)
        sheet.say(f"  ablate {words[0]}: {children() - used:.1f} s of processor time ({waited:.1f} s waited)")


def children() -> float:
    """Processor seconds of the processes that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10_000)
    parser.add_argument("--workers", type=int, default=1_000)
    parser.add_argument("--seconds", type=float, default=1.0)
    ask_to_keep(parser)
    options = parser.parse_args()
    few = options.runs // 10
    cases = [Case("slurm", options.runs), Case("slurm", few, 10), Case("slurm", few, 10, requeues=False)]
    cases += [Case("ray", options.runs), Case("ray", few, 10)]
    with measuring("clusters", keep=options.keep) as sheet:
        sheet.say(f"load average of this machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
        for case in cases:
            with tempfile.TemporaryDirectory() as folder:
                simulate(Path(folder), options, sheet, case)


if __name__ == "__main__":
    main()
