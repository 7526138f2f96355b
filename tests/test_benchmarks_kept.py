"""What a benchmark measures is its own entry of one JSON, with the machine, and nobody else's."""

import importlib.util
import json
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


def loaded(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


kept = loaded(ROOT / "tests" / "benchmarks" / "kept.py")


def test_a_script_replaces_its_own_entry_and_no_other(tmp_path, capsys):
    file = tmp_path / "benchmarks.json"
    for name, figure in (("one", 1), ("other", 2), ("one", 3)):
        with kept.measuring(name, keep=True, file=file) as sheet:
            sheet.figures["figure"] = figure
            sheet.say(f"it is {figure}")
    entries = json.loads(file.read_text())
    assert {name: entry["figures"] for name, entry in entries.items()} == {"one": {"figure": 3}, "other": {"figure": 2}}
    assert entries["one"]["printed"] == ["it is 3"]
    assert {"command", "when", "load", "environment"} < set(entries["one"])
    assert entries["one"]["environment"]["packages"]["torch"]
    assert capsys.readouterr().out == "it is 1\nit is 2\nit is 3\n"


def test_nothing_is_kept_unasked_or_of_a_script_that_failed(tmp_path):
    file = tmp_path / "benchmarks.json"
    with kept.measuring("one", keep=False, file=file):
        pass
    with pytest.raises(ValueError, match="failed"), kept.measuring("one", keep=True, file=file):
        raise ValueError("failed")
    assert not file.exists()


def test_a_table_says_below_it_on_what_it_was_measured():
    table = loaded(ROOT / "results" / "readme.py").table_of("results/benchmarks/benchmarks.json#training_step")
    lines, entry = table.split("\n"), json.loads(kept.KEPT.read_text())["training_step"]
    assert lines[: len(entry["printed"])] == entry["printed"]
    assert entry["environment"]["processor"] in lines[-1]
