"""Keeps the data room's tests away from the user's cache and data."""

import pytest


@pytest.fixture(autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Synthetic worlds of the tests go to one temporary cache."""
    monkeypatch.setenv("ABLATE_CACHE", str(tmp_path_factory.getbasetemp() / "cache"))
    monkeypatch.delenv("ABLATE_DATA", raising=False)
