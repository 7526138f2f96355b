"""What lies in the file that `wandb sync` sends: records of its own protocol buffers, in a LevelDB log."""

import json
import struct
from dataclasses import replace

import pytest

from ablate.logger.wandb import WandbConfig

pytest.importorskip("wandb", reason="the extra `wandb` is not installed")
pytestmark = pytest.mark.filterwarnings("default")
BLOCK, HEAD = 32768, 7


def records(folder):
    """Every record of the one `.wandb` file below. A record is whole (1), or first (2), middle (3), last (4) of several
    pieces; none crosses a block, and a block's rest too short for a head is empty.
    https://github.com/google/leveldb/blob/main/doc/log_format.md, behind seven bytes of W&B's own.
    """
    from wandb.proto.wandb_internal_pb2 import Record

    (path,) = folder.glob("*.wandb")
    data = path.read_bytes()
    assert data[:4] == b":W&B"
    place, whole = HEAD, b""
    while place + HEAD <= len(data):
        left = BLOCK - place % BLOCK
        if left < HEAD:
            place += left
            continue
        _, length, kind = struct.unpack("<IHB", data[place : place + HEAD])
        if kind == 0:
            break
        whole += data[place + HEAD : place + HEAD + length]
        place += HEAD + length
        if kind in (1, 4):
            yield Record.FromString(whole)
            whole = b""


def items(update):
    return {item.key or "/".join(item.nested_key): json.loads(item.value_json) for item in update}


def read(folder):
    found = {"curve": [], "summary": {}, "config": {}, "exit": None}
    for record in records(folder):
        if record.HasField("run"):
            run = record.run
            found |= {"id": run.run_id, "name": run.display_name, "group": run.run_group, "project": run.project}
            found["config"] |= items(run.config.update)
        if record.HasField("history"):
            row = items(record.history.item)
            step = record.history.step.num if record.history.HasField("step") else row["_step"]
            found["curve"].append((step, {name: value for name, value in row.items() if not name.startswith("_")}))
        if record.HasField("summary"):
            found["summary"] |= items(record.summary.update)
        if record.HasField("exit"):
            found["exit"] = record.exit.exit_code
    return found


def write(logger, run, curve, end):
    logger.begin(run)
    logger.points(run, curve)
    logger.end(run, end)


def test_curve_end_tags_and_parameters_are_read_back(tmp_path, run, curve, end):
    long = [replace(curve[0], step=step) for step in range(5, 1200)]  # more than one block
    logger = WandbConfig().build("little", tmp_path)
    write(logger, run, [*curve, *long], end)
    assert logger.held() == {run.key}
    again = WandbConfig().build("little", tmp_path)
    write(again, run, curve, replace(end, state="failed", texts={"reason": "out of memory"}))
    again.close()
    first, second = map(read, sorted((tmp_path / "wandb").glob("offline-run-*"), key=lambda path: len(path.name)))
    assert first["curve"] == [(point.step, dict(point.numbers)) for point in (*curve, *long)]
    assert {**end.numbers, **end.texts, "state": "done"}.items() <= first["summary"].items()
    assert {"model.core.dropout": 0.1, "seed": "3", "data.window": "[1, 2]"}.items() <= first["config"].items()
    named = {name: first[name] for name in ("id", "name", "group", "project", "exit")}
    assert named == {"id": run.key, "name": run.name, "group": "p1+p2", "project": "little", "exit": 0}
    assert (second["id"], second["exit"]) == (f"{run.key}-2", 1)  # trained again: nothing can be taken back there
    assert second["summary"]["reason"] == "out of memory"


def test_what_a_writer_left_that_died_is_written_anew(tmp_path, run, curve, end):
    half = tmp_path / "wandb" / f"offline-run-20200101_000000-{run.key}"
    half.mkdir(parents=True)
    (half / f"run-{run.key}.wandb").write_bytes(b":W&B")
    logger = WandbConfig().build("little", tmp_path)
    assert logger.held() == frozenset()
    write(logger, run, curve, end)
    logger.close()
    assert not half.exists()
    assert [read(path)["id"] for path in (tmp_path / "wandb").glob("offline-run-*")] == [run.key]
