"""The S3 protocol, by s3fs, against a local server (moto): a whole job, and a bucket that is not there."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from s3_server import s3_server

pytest.importorskip("s3fs", reason="the extra `s3` is not installed")
pytest.importorskip("moto.server", reason="moto[server] is not installed")
pytestmark = pytest.mark.slow

JOB = """
import json, sys
from pathlib import Path
from counting import CountingHome, counting, expected
from ablate.execution.job import Job
from ablate.execution.storage.away import Ways, work_away
from ablate.execution.storage.depot import Depot
from ablate.execution.storage.url import open_bucket

KEY, places = "0a0b0c0d", []

def at(key, step):
    places.append(step)
    if len(places) == 13:
        raise RuntimeError("cut off")

def attempt(depot):
    depot.look()
    return work_away(depot.trip(KEY), Job(KEY, {"key": KEY}), counting(at), None, Ways(printing=lambda log: None))

def depot(name):
    home = CountingHome(Path(sys.argv[1]) / name / "toy")
    bucket = open_bucket("s3://lab/runs").under("toy")
    bucket.probe(listing=True)
    return home, Depot(bucket, home)

home, first = depot("first")
states = [attempt(first).outcome.state for _ in range(2)]
other, second = depot("second")
taken = second.take_in_what_is_there(KEY)
left = open_bucket("s3://lab/runs").names()
print(json.dumps([states, places, taken.here, taken.fault, other.result(KEY) == expected(KEY), left]))
"""


@pytest.fixture
def server(monkeypatch):
    """Set for clients in processes of their own, since s3fs keeps a thread and its connections."""
    here = Path(__file__).parent
    with s3_server() as named:
        for name, value in named.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("PYTHONPATH", ":".join([str(here.parents[2]), str(here), *sys.path]))
        yield


def said(code: str, *words: object) -> str:
    command = [sys.executable, "-c", code, *map(str, words)]
    end = subprocess.run(command, capture_output=True, text=True, timeout=200, check=False)
    assert end.returncode == 0, end.stderr
    return end.stdout.splitlines()[-1]


@pytest.mark.usefixtures("server")
def test_a_job_goes_on_and_comes_home_through_s3(tmp_path):
    said("import boto3; boto3.client('s3').create_bucket(Bucket='lab'); print()")
    states, places, here, fault, same, left = json.loads(said(JOB, tmp_path))
    assert states == ["failed", "done"]
    assert places == [*range(1, 14), *range(11, 21)]
    assert (here, fault, same) == (True, "", True)
    assert sorted(name.rpartition("/")[2] == "commit.json" for name in left) == [False, False, True]


@pytest.mark.usefixtures("server")
def test_a_bucket_that_is_not_there_is_told_and_not_made():
    asked = """
import boto3
from ablate.errors import AblateError
from ablate.execution.storage.url import open_bucket
try:
    open_bucket("s3://none/runs").under("toy").probe(listing=True)
except AblateError as error:
    print(error.problems[0].hint, "|", boto3.client("s3").list_buckets()["Buckets"])
"""
    assert said(asked) == "there is no such bucket or folder: make it first, or name another | []"
