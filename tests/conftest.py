"""For all tests: one thread a process, and one cache of synthetic data for the whole session, outside the user's."""

import os

import pytest

for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(name, "1")


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cache")
    before = os.environ.get("ABLATE_CACHE")
    os.environ["ABLATE_CACHE"] = str(folder)
    yield folder
    if before is None:
        os.environ.pop("ABLATE_CACHE", None)
    else:
        os.environ["ABLATE_CACHE"] = before
