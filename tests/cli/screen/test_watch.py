"""`ablate report --watch`: the table again when a run comes in, and nothing while none does."""

from pathlib import Path

import pytest
from planted import BASELINE, Planted, around, shifted

from ablate.cli.command.report import report_study
from ablate.cli.screen import ranking
from ablate.result import Store


class Keyed(Planted):
    """Planted runs with keys that a store accepts."""

    @staticmethod
    def key(name: str, seed: int) -> str:
        return f"{sum(map(ord, name)):08x}{seed:04x}"


def test_the_table_comes_again_only_when_a_run_has_come_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    base = around(0.4, 0.01)
    planted = Keyed({BASELINE: base, "tokens": shifted(base, 0.02)})
    store = Store(tmp_path / "study")
    store.write_manifest(planted.manifest())
    records = list(planted.records())
    store.put(records.pop())
    naps: list[float] = []

    def nap(seconds: float) -> None:
        """The first nap brings nothing, the second all other runs, the third is interrupted."""
        naps.append(seconds)
        if len(naps) == 2:
            for record in records:
                store.put(record)
        if len(naps) == 3:
            raise KeyboardInterrupt

    monkeypatch.setattr(ranking.time, "sleep", nap)
    assert report_study(store.root, watch=True) == 0
    said = capsys.readouterr()
    assert said.out.count("Which patch helps?") == 2
    assert "1 of 6 runs at" in said.err
    assert "all 6 runs are done" in said.err
