"""Where the cache lies; a user without a home, as in a container, is told what to name."""

from pathlib import Path

import pytest

from ablate.disk.cache import cache_folder
from ablate.errors import AblateError
from ablate.recipe.execution import site_file


@pytest.fixture
def _homeless(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "ABLATE_CACHE", "ABLATE_SITE", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr("pwd.getpwuid", {}.__getitem__)


@pytest.mark.usefixtures("_homeless")
def test_a_user_without_a_home_is_asked_for_a_folder():
    with pytest.raises(AblateError, match="no home folder") as told:
        cache_folder()
    assert "ABLATE_CACHE=FOLDER" in str(told.value)


@pytest.mark.usefixtures("_homeless")
def test_a_folder_that_is_named_needs_no_home_and_a_site_file_is_then_not_there(monkeypatch, tmp_path):
    monkeypatch.setenv("ABLATE_CACHE", str(tmp_path))
    assert cache_folder() == Path(tmp_path)
    assert site_file() is None
