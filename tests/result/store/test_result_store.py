"""A study's folder keeps runs whole or not at all, and reads whatever it finds without a traceback."""

import json
import os
import shutil
import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ablate.errors import AblateError
from ablate.result import RunRecord, Store
from ablate.result.store.clean import Garbage, garbage, remove


def cleaned(store: Store, **options: bool) -> tuple[Garbage, ...]:
    """What `ablate clean --yes` removes."""
    listed = garbage(store, **options)
    remove(store, listed)
    return listed


def files(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def keep(store: Store, record: RunRecord, weights: bytes = b"w" * 100) -> None:
    with store.writer(record.key) as run:
        run.write_json("units.json", {"session_0": [0.1, float("nan")]})
        run.write_lines("history.jsonl", [{"step": 1, "loss": 0.5}, {"step": 2, "loss": float("nan")}])
        run.write_text("log.txt", "fine\n")
        (run.folder / "weights.safetensors").write_bytes(weights)
        assert run.commit(record)


def test_what_was_kept_is_read_back(store, record):
    keep(store, record)
    assert store.record(record.key) == record
    assert store.records() == (record,)
    assert store.units(record.key) == {"session_0": [0.1, None]}
    assert store.history(record.key) == [{"step": 1, "loss": 0.5}, {"step": 2, "loss": None}]
    assert (store.folder(record.key) / "log.txt").read_text() == "fine\n"
    weights = store.weights(record.key)
    assert weights is not None
    assert weights.read_bytes() == b"w" * 100
    assert json.loads((store.folder(record.key) / "config.json").read_text()) == record.config
    assert files(store.runs) == {record.key}


def test_a_manifest_with_the_retired_key_of_a_variant_is_read(store, manifest):
    store.write_manifest(manifest)
    path = store.root / "study.json"
    held = json.loads(path.read_text())
    held["variants"][0]["warnings"] = []
    path.write_text(json.dumps(held))
    assert store.manifest() == manifest
    held["variants"][0]["warning"] = []
    path.write_text(json.dumps(held))
    with pytest.raises(AblateError, match="is damaged"):
        store.manifest()


def test_a_study_that_does_not_exist_is_empty_and_reading_it_creates_nothing(store):
    assert store.records() == ()
    assert not store.has("ab" * 10)
    assert not store.exists()
    assert garbage(store) == ()
    assert not store.root.exists()
    with pytest.raises(AblateError, match="there is no such study"):
        store.manifest()


def test_the_plan_is_read_back(store, manifest):
    store.write_manifest(manifest)
    assert store.manifest() == manifest
    assert files(store.root) == {"study.json"}


@pytest.mark.parametrize("text", ["", "{", "[]", '{"name": 3}', "\x00\xff", "[" * 100_000])
def test_a_damaged_plan_is_told(store, text):
    store.root.mkdir(parents=True)
    (store.root / "study.json").write_text(text)
    with pytest.raises(AblateError, match="is damaged"):
        store.manifest()


@pytest.mark.parametrize("name", ["..", ".", "", "a/b", "/etc", "a\x00", "a\n", "-rf", ".hidden", "x" * 121, "é"])
def test_a_name_cannot_lead_out_of_the_results_folder(tmp_path, name):
    with pytest.raises(AblateError, match="cannot be a study name"):
        Store.of(tmp_path, name)


@pytest.mark.parametrize("key", ["../../x", "", "AB" * 10, "ab", "g" * 20, "ab" * 10 + "\n", "a" * 65])
def test_a_key_is_hex_and_nothing_else(store, key):
    for use in (store.folder, store.has, store.record, store.lock_run, store.writer, store.checkpoints, store.log_path):
        with pytest.raises(AblateError, match="is no run key"):
            use(key)


def test_a_file_of_a_run_cannot_be_written_elsewhere(store, record):
    with store.writer(record.key) as run, pytest.raises(AblateError, match="cannot be a file name"):
        run.write_text("../escaped", "x")


# ------------------------------------------------------------------ whole or not at all


def test_a_writer_that_does_not_commit_leaves_nothing(store, record):
    def crash() -> None:
        with store.writer(record.key) as run:
            run.write_text("log.txt", "half")
            raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        crash()
    assert files(store.runs) == set()


def test_a_run_in_place_stays_unless_it_is_to_be_replaced(store, record):
    later = record.model_copy(update={"reason": "later"})
    assert store.put(record)
    assert not store.put(later)
    assert store.record(record.key) == record
    assert store.put(later, replace=True)
    assert store.record(record.key) == later
    assert files(store.runs) == {record.key}


@pytest.mark.parametrize("url", ["s3://bucket/results", "gs://bucket", "memory://x"])
def test_a_url_is_refused_as_a_place_for_results(url):
    with pytest.raises(AblateError, match="is a URL; a study needs locks and renames"):
        Store.of(Path(url), "study")
    assert Store.of(Path("C:/results"), "study").root == Path("C:/results/study")


def test_the_run_before_comes_back_when_its_successor_was_killed_between_the_renames(store, record):
    keep(store, record)
    os.rename(store.folder(record.key), store.runs / f".replaced-{record.key}")
    (store.runs / f".partial-{record.key}-1").mkdir()
    with store.lock_run(record.key):
        assert store.record(record.key) == record
    assert files(store.runs) == {record.key}


def test_the_run_before_comes_back_when_the_last_rename_fails(store, record, monkeypatch):
    keep(store, record)
    rename = os.rename

    def full(source, target):
        if ".partial-" in str(source):
            raise OSError(28, "No space left on device")
        rename(source, target)

    monkeypatch.setattr(os, "rename", full)
    with pytest.raises(AblateError, match="No space left"):
        store.put(record.model_copy(update={"reason": "later"}), replace=True)
    assert store.record(record.key) == record


def test_the_record_of_one_run_is_not_kept_as_another(store, record):
    with store.writer("cd" * 10) as run, pytest.raises(AblateError, match="cannot be kept as"):
        run.commit(record)


@pytest.mark.parametrize("call", ["fsync", "rename"])
def test_a_full_disk_is_told_and_leaves_nothing_half_written(store, record, monkeypatch, call):
    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, call, full)
    with pytest.raises(AblateError, match="No space left on device") as told:
        store.put(record)
    assert "ablate clean" in told.value.problems[0].hint
    assert files(store.runs) == set()


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="mounting takes root")
def test_a_disk_that_is_really_full_keeps_the_runs_that_it_has(tmp_path, record):
    if os.system(f"mount -t tmpfs -o size=256k none {tmp_path} 2>/dev/null"):
        pytest.skip("this machine does not mount")
    try:
        store = Store.of(tmp_path, "study")
        assert store.put(record)
        with pytest.raises(AblateError, match="No space left on device"):
            keep(store, record.model_copy(update={"key": "cd" * 10}), weights=b"w" * 400_000)
        assert files(store.runs) == {record.key}
        assert store.records() == (record,)
        os.system(f"head -c 400000 /dev/zero > {tmp_path}/filler 2>/dev/null")
        with pytest.raises(AblateError, match="No space left on device"):
            store.put(record.model_copy(update={"reason": "x" * 20_000}), replace=True)
        assert store.records() == (record,)
    finally:
        os.system(f"umount {tmp_path}")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="mounting takes root")
def test_a_read_only_folder_is_read_and_refuses_writing_clearly(tmp_path, record):
    if os.system(f"mount -t tmpfs -o size=1m none {tmp_path} 2>/dev/null"):
        pytest.skip("this machine does not mount")
    try:
        store = Store.of(tmp_path, "study")
        keep(store, record)
        os.system(f"mount -o remount,ro {tmp_path}")
        assert store.records() == (record,)
        assert garbage(store) == ()
        assert store.holder(record.key) is None
        assert store.verify_hashes() == ()
        for write in (lambda: store.put(record), lambda: store.lock_run(record.key)):
            with pytest.raises(AblateError, match="Read-only file system") as told:
                write()
            assert told.value.problems[0].hint == "the folder is read-only: choose another folder"
    finally:
        os.system(f"umount {tmp_path}")


def test_a_study_may_be_moved(store, record, manifest, tmp_path):
    store.write_manifest(manifest)
    keep(store, record)
    shutil.move(store.root, tmp_path / "elsewhere")
    moved = Store(tmp_path / "elsewhere")
    assert moved.records() == (record,)
    assert moved.verify_hashes() == ()
    stored = b"".join(path.read_bytes() for path in moved.root.rglob("*") if path.is_file())
    assert str(tmp_path).encode() not in stored


def test_a_clock_that_jumps_changes_nothing(store, record):
    keep(store, record)
    for path in [*store.root.rglob("*"), store.root]:
        os.utime(path, (4e9, 4e9))
    assert store.records() == (record,)
    with store.lock_run(record.key):
        assert store.put(record, replace=True)
    assert garbage(store) == ()


# ------------------------------------------------------------------ whatever it finds


def spoil_truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:100])


def spoil_key(path: Path) -> None:
    path.write_text(path.read_text().replace("ab" * 10, "cd" * 10))


def spoil_format(path: Path) -> None:
    path.write_text(path.read_text().replace('"format": 1', '"format": 2'))


def spoil_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def spoil_link(path: Path) -> None:
    path.rename(path.with_name("real.json"))
    path.symlink_to("real.json")


def spoil_size(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(257 * 2**20)


def spoil_depth(path: Path) -> None:
    path.write_text('{"config":' + '{"a":' * 100_000 + "1" + "}" * 100_001)


SPOILERS = {
    "EOF while parsing": spoil_truncate,
    "another run": spoil_key,
    "has format 2": spoil_format,
    "is no plain file": spoil_pipe,
    "is a link": spoil_link,
    "is too large": spoil_size,
    "recursion limit": spoil_depth,
}


@pytest.mark.parametrize("complaint", SPOILERS)
def test_a_damaged_record_is_listed_and_hides_no_other(store, record, complaint):
    other = record.model_copy(update={"key": "cd" * 10})
    keep(store, record)
    keep(store, other)
    SPOILERS[complaint](store.folder(record.key) / "record.json")
    scan = store.scan()
    assert scan.records == {other.key: other}
    assert [damaged.key for damaged in scan.damaged] == [record.key]
    assert complaint in scan.damaged[0].reason
    assert "\n" not in scan.damaged[0].reason


def test_a_damaged_run_is_replaced_by_a_whole_one(store, record):
    keep(store, record)
    spoil_truncate(store.folder(record.key) / "record.json")
    assert store.put(record, replace=True)
    assert store.records() == (record,)


def test_a_strange_folder_among_the_runs_is_listed(store, record):
    keep(store, record)
    (store.runs / "notes").mkdir()
    (store.runs / ("ef" * 10)).mkdir()
    (store.runs / ("ee" * 10)).symlink_to("/")
    assert {damaged.key for damaged in store.scan().damaged} == {"notes", "ef" * 10, "ee" * 10}


@pytest.mark.parametrize("name", ["units.json", "history.jsonl"])
@pytest.mark.parametrize("text", ['{"a": ', "[" * 100_000, "NaN", "\xff", "1" * 10_000])
def test_damaged_companions_are_told(store, record, name, text):
    keep(store, record)
    (store.folder(record.key) / name).write_text(text, encoding="latin-1")
    read = store.units if name == "units.json" else store.history
    with pytest.raises(AblateError, match=r"is damaged|nested too deep"):
        read(record.key)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(at=st.integers(0, 4000), junk=st.binary(max_size=6), cut=st.booleans())
def test_a_record_with_any_bytes_changed_is_read_or_listed(store, record, at, junk, cut):
    if not store.has(record.key):
        keep(store, record)
    path = store.folder(record.key) / "record.json"
    whole = record.model_dump_json(indent=1).encode()
    path.write_bytes(whole[:at] + junk + (b"" if cut else whole[at + len(junk) :]))
    scan = store.scan()
    assert len(scan.records) + len(scan.damaged) == 1


def test_five_thousand_records_are_read_in_about_a_second(store, record, capsys):
    text = record.model_dump_json(indent=1)
    for i in range(5000):
        folder = store.runs / f"{i:020x}"
        folder.mkdir(parents=True)
        (folder / "record.json").write_text(text.replace(record.key, folder.name))
    begun = time.perf_counter()
    assert len(store.records()) == 5000
    with capsys.disabled():
        print(f"\n5,000 records of {len(text)} bytes read in {time.perf_counter() - begun:.2f} s")


# ------------------------------------------------------------------ care


def test_hashes_tell_what_was_changed_added_or_lost(store, record):
    keep(store, record)
    assert store.verify_hashes() == ()
    folder = store.folder(record.key)
    (folder / "log.txt").write_text("fine?")
    (folder / "units.json").unlink()
    (folder / "weights.safetensors").write_bytes(b"w" * 99)
    (folder / "new").write_text("")
    (damaged,) = store.verify_hashes()
    assert damaged.key == record.key
    assert set(damaged.reason.split("; ")) == {
        "log.txt has changed",
        "units.json is missing",
        "weights.safetensors has 99 bytes instead of 100",
        "new was added",
    }


@pytest.mark.parametrize("text", ["", "[]", "3", '{"../../x": {"bytes": 1, "blake2b": ""}}', '{"a": 1}', '{"a": {}}'])
def test_damaged_hashes_are_told(store, record, text):
    keep(store, record)
    (store.folder(record.key) / "hashes.json").write_text(text)
    assert [damaged.key for damaged in store.verify_hashes()] == [record.key]


def test_clean_lists_first_and_removes_only_when_told(store, record, manifest):
    store.write_manifest(manifest)
    keep(store, record)
    gone = "cd" * 10
    keep(store, record.model_copy(update={"key": gone}))
    (store.runs / f".partial-{'ef' * 10}-1").mkdir()
    for key in (record.key, gone):
        store.checkpoints(key).mkdir(parents=True)
        (store.checkpoints(key) / "last").write_bytes(b"x" * 1000)
    before = sorted(store.root.rglob("*"))
    listed = garbage(store)
    assert sorted(store.root.rglob("*")) == before
    assert [(item.kind, item.path.as_posix()) for item in listed] == [
        ("partial", f"runs/.partial-{'ef' * 10}-1"),
        ("checkpoint", f"checkpoints/{record.key}"),
        ("checkpoint", f"checkpoints/{gone}"),
        ("run", f"runs/{gone}"),
    ]
    assert listed[1].bytes == 1000
    cleaned(store)
    assert garbage(store) == ()
    assert store.records() == (record,)


def test_clean_leaves_what_a_live_process_holds(store, record, manifest):
    store.write_manifest(manifest)
    with store.lock_run(record.key):
        store.checkpoints(record.key).mkdir(parents=True)
        with store.writer(record.key):
            assert cleaned(store) == ()
            assert store.checkpoints(record.key).exists()


def test_clean_without_a_readable_manifest_calls_no_run_superfluous(store, record):
    keep(store, record)
    assert garbage(store) == ()


def test_weights_go_only_when_asked_for_and_the_hashes_still_hold(store, record, manifest):
    store.write_manifest(manifest)
    keep(store, record)
    assert garbage(store) == ()
    (item,) = cleaned(store, weights=True)
    assert (item.kind, item.bytes) == ("weights", 100)
    assert store.weights(record.key) is None
    assert store.verify_hashes() == ()


def test_removing_weights_does_not_bless_another_file_that_was_changed(store, record, manifest):
    store.write_manifest(manifest)
    keep(store, record)
    (store.folder(record.key) / "log.txt").write_text("fine?")
    cleaned(store, weights=True)
    assert [damaged.reason for damaged in store.verify_hashes()] == ["log.txt has changed"]
