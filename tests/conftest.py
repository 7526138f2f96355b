"""For all tests: one thread a process, one cache of synthetic data for the whole session, outside the user's, and where
the shape check runs."""

import importlib
import os

import pytest

UNCHECKED = ("tests/cli/", "tests/planted/", "tests/report/", "tests/study/")
"""Where tests ask what a study does and says: shapes of tensors took a quarter of their time."""
CHECKED = ("tests/study/test_study_pack.py", "tests/study/test_study_trials.py")
"""An encoding study and a fusion study of those, trained with every shape checked."""
FIRST = ("tests/model/test_compiled.py", "tests/planted/test_planted_truth.py", "tests/study/test_study_without_card")
"""Of single tests that take a minute, or half of one: begun last, they would keep one worker while the other waits."""
LIBRARIES = ("torch", "timm", "scipy.signal", "scipy.stats", "pandas", "pydantic")

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


@pytest.fixture(scope="module", autouse=True)
def _shape_check(request: pytest.FixtureRequest):
    """The runtime shape check, on where a test asks for tensors: models, data, training, and two studies as a whole."""
    from jaxtyping import config

    name = request.node.nodeid
    before, off = config.jaxtyping_disable, name.startswith(UNCHECKED) and name not in CHECKED
    config.update("jaxtyping_disable", before or off)
    yield
    config.update("jaxtyping_disable", before)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not item.nodeid.startswith(FIRST))


def pytest_configure(config: pytest.Config) -> None:
    """Loads what the tests need of others before anything of ours is loaded.

    The runtime shape check looks for bytecode of its own kind also where a checked module imports another library, and
    finds none: torch and all that it needs would be compiled anew in every worker.
    """
    if hasattr(config, "workerinput") or not config.getoption("numprocesses", None):  # not where workers are sent from
        for name in LIBRARIES:
            importlib.import_module(name)
