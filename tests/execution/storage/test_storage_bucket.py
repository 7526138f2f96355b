"""A store that fails for a while is tried again; one that never will work says so, with its URL and the cause."""

import logging
import sys

import fsspec
import pytest
from planted_store import PlantedStore

from ablate.errors import AblateError
from ablate.execution.onray.options import RayOptions
from ablate.execution.storage.bucket import WAITS, Bucket
from ablate.execution.storage.url import checked_url, open_bucket


def failing(times: int, error: Exception, *operations: str):
    left = [times]

    def before(operation: str, path: str) -> None:
        if operation in operations and left[0]:
            left[0] -= 1
            raise error

    return before


@pytest.fixture
def store(tmp_path):
    return PlantedStore(tmp_path / "store")


@pytest.fixture(params=["memory", "file"])
def url(request, tmp_path):
    yield {"memory": "memory://bucket/a", "file": f"file://{tmp_path}/bucket"}[request.param]
    fsspec.filesystem("memory").store.clear()


def test_what_is_written_is_read_listed_and_removed_on_fsspecs_own_stores(url, tmp_path):
    bucket = open_bucket(url).under("study")
    bucket.probe(listing=True)
    assert bucket.names() == []
    (tmp_path / "file").write_bytes(b"\0" * 1000)
    bucket.write("one/small", b"words")
    bucket.upload(tmp_path / "file", "two/large")
    assert bucket.names() == ["one/small", "two/large"]
    assert bucket.names("two") == ["large"]
    assert bucket.read("one/small") == b"words"
    assert bucket.download("two/large", tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == b"\0" * 1000
    assert bucket.read("one/none") is None
    assert not bucket.download("one/none", tmp_path / "none")
    bucket.remove(["one/none", "one/small", "two/large"])
    bucket.must_remove("two/large")
    assert bucket.names() == []


def test_an_error_that_passes_is_tried_again_after_longer_and_longer_waits_and_told(store, caplog):
    store.before = failing(3, ConnectionResetError("the line was cut"), "pipe_file")
    with caplog.at_level(logging.WARNING):
        store.bucket().write("a", b"words")
    assert store.bucket().read("a") == b"words"
    assert len(store.waited) == 3
    assert all(0.5 * wait <= waited <= 1.5 * wait for wait, waited in zip(WAITS, store.waited, strict=False))
    first = caplog.records[0].getMessage()
    assert first == "planted:: cannot write a: ConnectionResetError: the line was cut; tried again in about 0.5 s"


def test_an_error_that_does_not_pass_in_two_minutes_is_told_with_url_cause_and_tries(store):
    store.before = failing(100, TimeoutError("no answer"), "cat_file")
    with pytest.raises(AblateError, match=r"planted:: cannot read a: TimeoutError: no answer, in 9 tries"):
        store.bucket().read("a")
    assert len(store.waited) == len(WAITS)
    assert sum(WAITS) > 120


@pytest.mark.parametrize(
    ("error", "hint"),
    [
        (PermissionError("Access Denied"), "credentials and addresses are fsspec's own"),
        (type("NoCredentialsError", (Exception,), {})("Unable to locate credentials"), "credentials"),
        (type("HttpError", (Exception,), {"code": 403})("Forbidden"), "credentials"),
        (FileNotFoundError("The specified bucket does not exist"), "there is no such bucket or folder"),
    ],
)
def test_what_never_passes_is_found_by_the_probe_without_waiting(store, error, hint):
    store.before = failing(1, error, "pipe_file")
    with pytest.raises(AblateError) as raised:
        store.bucket("planted://lab/runs").probe()
    problem = raised.value.problems[0]
    assert problem.where == "planted://lab/runs"
    assert str(error) in problem.what
    assert hint in problem.hint
    assert store.waited == []


@pytest.mark.parametrize("operation", ["pipe_file", "cat_file", "find", "rm_file"])
def test_the_probe_needs_each_right_that_a_run_needs_and_leaves_nothing(store, operation):
    store.bucket().probe(listing=True)
    assert store.names() == []
    store.before = failing(1, PermissionError("Access Denied"), operation)
    with pytest.raises(AblateError, match="Access Denied"):
        store.bucket().probe(listing=True)


def test_a_store_that_gives_back_something_else_is_refused(store):
    store.after = lambda operation, path: (store.folder / path).write_bytes(b"no")
    with pytest.raises(AblateError, match="gives back something else just after a small object was written"):
        store.bucket().probe()


def test_leftovers_that_may_not_be_removed_are_told_and_no_more(store, caplog):
    store.bucket().write("a", b"")
    store.before = failing(1, PermissionError("no deletes"), "rm_file")
    store.bucket().remove(["a"])
    assert "no deletes" in caplog.text
    assert store.names() == ["a"]


def test_a_package_that_is_missing_is_named_with_the_line_for_pip(monkeypatch):
    monkeypatch.setitem(sys.modules, "s3fs", None)
    with pytest.raises(AblateError) as raised:
        open_bucket("s3://bucket/runs")
    problem = raised.value.problems[0]
    assert (problem.where, problem.what) == (
        "s3://bucket/runs",
        "`s3://` needs a package: ImportError: Install s3fs to access S3",
    )
    assert problem.hint == "pip install 'ablate[s3]', here and on every node"


def test_a_protocol_that_nobody_knows_is_refused():
    with pytest.raises(AblateError, match="sss://x: cannot be opened: ValueError: Protocol not known: sss"):
        open_bucket("sss://x")


@pytest.mark.parametrize(
    ("url", "told"),
    [
        ("s3://name:hunter2@bucket/runs", "holds a password or a key"),
        ("s3://bucket/runs?secret=hunter2", "holds a password or a key"),
        ("simplecache::s3://hunter2", "is a chain of stores"),
        ("bucket/hunter2", "is no URL: write `s3://bucket/folder`"),
    ],
)
def test_a_url_with_a_secret_or_none_at_all_is_refused_without_being_shown(url, told):
    with pytest.raises(ValueError, match=told) as raised:
        checked_url(url)
    assert "hunter2" not in str(raised.value)
    with pytest.raises(ValueError, match=told):
        RayOptions(storage=url)


@pytest.mark.parametrize("url", ["s3://bucket/runs/", "gs://bucket", "file:///mnt/runs", "sftp://me@host/runs"])
def test_a_url_of_a_store_is_taken_without_the_slash_at_its_end(url):
    assert RayOptions(storage=url).storage == url.rstrip("/")


def test_no_bucket_is_made_where_folders_are_only_names(monkeypatch, tmp_path):
    """To make the folder of an object is to make a bucket, on some stores: a name written wrong would become one."""
    files = fsspec.filesystem("memory")
    monkeypatch.setattr(type(files), "makedirs", lambda *given, **more: pytest.fail("made a folder"))
    Bucket(files, "/bucket/a", "memory://bucket/a").write("b/c", b"")
    files.store.clear()
