"""A study without models for the chaos test: store, locks and pool together, as the real one uses them.

python chaos_study.py FOLDER RUNS: runs what is not yet in place, then leaves; may be killed and started again any time.
"""

import json
import os
import sys
import time
from pathlib import Path

from ablate.execution import Busy, Job, Settings, execute
from ablate.result import RunRecord, Store

STEPS = 10


def train(payload: dict) -> None:
    """Counts to STEPS with a checkpoint after each, then keeps the run."""
    store, key = Store(payload["root"]), payload["key"]
    lock = store.lock_run(key)
    if lock is None:
        raise Busy(str(store.holder(key)))
    with lock:
        if store.has(key):
            return
        total = _resume(store, key)
        record = RunRecord(key=key, study="chaos", variant="v", seed=0, state="done", config={"total": total})
        with store.writer(key) as run:
            run.write_lines("history.jsonl", [{"step": step} for step in range(STEPS)])
            (run.folder / "weights.safetensors").write_bytes(f"{key} {total}".encode() * 1000)
            if run.commit(record):
                with (store.root / "finished").open("a") as file:
                    file.write(key + "\n")
        store.settle(key)


def _resume(store: Store, key: str) -> int:
    """Sums the steps, from the last checkpoint on."""
    folder = store.checkpoints(key)
    folder.mkdir(parents=True, exist_ok=True)
    place = folder / "last.json"
    state = json.loads(place.read_text()) if place.exists() else {"step": 0, "total": 0}
    for step in range(state["step"], STEPS):
        time.sleep(0.01)
        state = {"step": step + 1, "total": state["total"] + step * int(key[:8], 16)}
        beside = folder / f"beside-{os.getpid()}"
        beside.write_text(json.dumps(state))
        beside.replace(place)
    return state["total"]


def main(root: Path, runs: int) -> None:
    store = Store(root)
    keys = [f"{i + 1:020x}"[::-1] for i in range(runs)]
    while pending := [key for key in keys if not store.has(key)]:
        jobs = [Job(key, {"root": str(root), "key": key}) for key in pending]
        for outcome in execute(jobs, "chaos_study:train", Settings(workers=2, threads=1, preload=()), logs=store.logs):
            print(outcome.key, outcome.state, outcome.reason, flush=True)
        time.sleep(0.05)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[2]))
    main(Path(sys.argv[1]), int(sys.argv[2]))
