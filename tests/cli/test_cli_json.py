"""`--format json`: a script or an agent drives the program by one JSON document on stdout; all else is on stderr."""

import json

import pytest
from tiny_study import TRAINING, ablate, write_recipe
from typer.testing import CliRunner

from ablate.cli.app import app
from ablate.errors import AblateError

OWN_CORE = """\
from ablate.model.core.vivit import ViViT, ViViTConfig

print("a line that own code prints when it is imported")


class Talking(ViViT):
    def __init__(self, spec, **params):
        print("a line that own code prints when it is built")
        super().__init__(ViViTConfig(**params), spec)
"""


def document(told) -> dict:
    """All of stdout, which must be one document, and say the exit code that the program left with."""
    record = json.loads(told.stdout)
    assert record["exit_code"] == told.returncode, told.stderr
    return record


def answered(*words: object):
    """A command in this process, which spares an interpreter's start."""
    result = CliRunner().invoke(app, [*map(str, words), "--format", "json"])
    record = json.loads(result.stdout)
    assert record.pop("exit_code") == result.exit_code
    return record, result


@pytest.fixture(scope="module")
def trained(tmp_path_factory):
    """A recipe, its results, and what the program said while it trained them."""
    folder = tmp_path_factory.mktemp("json")
    recipe = write_recipe(folder, tail="variants: [each]\nseeds: [0, 1]\n")
    told = ablate("run", recipe, "--out", folder / "results", "--device", "cpu", "--inline", "--format", "json")
    return recipe, folder / "results", told


def test_a_run_ends_with_one_document_and_its_progress_is_on_stderr(trained):
    _, results, told = trained
    record = document(told)
    assert (record["state"], record["errors"], record["failures"], record["next_commands"]) == ("done", [], [], [])
    assert (record["trained"], record["kept"]) == (6, 0)
    assert record["results"] == str(results / "tiny")
    assert "[6/6]" in told.stderr
    assert "6 runs trained, 0 kept from before" in told.stderr


def test_every_run_is_in_the_document_with_its_state_and_score(trained):
    runs = document(trained[2])["runs"]
    assert {(run["variant"], run["seed"]) for run in runs} == {
        (name, seed) for name in ("baseline", "glm", "fast") for seed in (0, 1)
    }
    assert {(run["state"], run["stage"], run["reason"]) for run in runs} == {("done", "study", "")}
    assert all(isinstance(run["score"], float) and run["seconds"] > 0 for run in runs)


def test_the_verdicts_are_those_of_the_report(trained):
    _, results, told = trained
    report = CliRunner().invoke(app, ["report", str(results / "tiny"), "--format", "json"])
    assert document(told)["report"] == json.loads(report.stdout)


def test_a_finished_study_gives_the_same_document_but_for_what_was_trained(trained):
    recipe, results, told = trained
    again, _ = answered("run", recipe, "--out", results, "--device", "cpu")
    first = document(told)
    assert again["notes"] == [f"every run of this study is done; nothing was trained (results in {results / 'tiny'})"]
    assert (again["trained"], again["kept"]) == (0, 6)
    for key in ("state", "runs", "report", "failures"):
        assert again[key] == first[key]


def test_failures_carry_their_reason_and_the_command_that_tries_again(tmp_path):
    recipe = write_recipe(tmp_path)
    diverging = ("--set", "patches.fast.training.learning_rate=1e12", "--only", "fast")
    told = ablate("run", recipe, "--out", tmp_path / "r", "--device", "cpu", "--inline", "--format=json", *diverging)
    record = document(told)
    assert told.returncode == 1
    assert record["state"] == "failed"
    assert record["report"] is None  # without the baseline there is nothing to compare with
    (failure,) = record["failures"]
    assert (failure["variant"], failure["seed"], failure["state"]) == ("fast", 0, "diverged")
    assert failure["reason"] == "the loss became non-finite at step 2"
    assert [run["state"] for run in record["runs"]] == ["diverged"]
    (command,) = record["next_commands"]
    assert command.startswith(f"ablate run {recipe} --set patches.fast.training.learning_rate=1e12 --only fast")
    assert command.endswith("--retry all")


def test_what_own_code_prints_is_kept_out_of_the_document(tmp_path, monkeypatch):
    (tmp_path / "talking.py").write_text(OWN_CORE)
    core = "{type: import, target: talking:Talking, params: {embedding_dim: 8}}"
    recipe = write_recipe(tmp_path, patches=f"patches:\n  own: {{title: an own core, core: {core}}}\n")
    monkeypatch.syspath_prepend(tmp_path)
    record, result = answered("check", recipe)
    assert "a line that own code prints" not in json.dumps(record)
    assert "a line that own code prints when it is imported" in result.stderr
    assert "a line that own code prints when it is built" in result.stderr


def test_check_tells_what_each_variant_changes_and_what_to_beware_of(trained, tmp_path):
    recipe, _, _ = trained
    record, _ = answered("check", recipe, "--out", tmp_path / "none", "--device", "cpu")
    assert (record["study"], record["seeds"], record["runs"]) == ("tiny", [0, 1], 6)
    rows = {row["name"]: row for row in record["variants"]}
    assert rows["fast"]["differences"] == {"training.learning_rate": [0.001, 0.003]}
    assert rows["fast"]["changes"] == "learning_rate 0.001 -> 0.003"
    assert rows["glm"]["role"] == "reference"
    assert rows["baseline"]["cost"]["total"] == sum(rows["baseline"]["cost"]["parts"].values())
    assert all({*lint["variants"]} <= {*rows} for lint in record["lints"])
    assert record["price"] is None
    assert not (tmp_path / "none").exists()


def test_check_tells_every_problem_with_its_place(tmp_path):
    recipe = write_recipe(tmp_path, training=TRAINING.replace("steps", "stepps"))
    record = document(ablate("check", recipe, "--format", "json"))
    assert record["exit_code"] == 2
    place = next(n for n, text in enumerate(recipe.read_text().splitlines(), 1) if "stepps" in text)
    assert {"where": f"{recipe}:{place}", "what": "unknown key `training.stepps`", "hint": "did you mean `steps`?"} in (
        record["errors"]
    )


def test_a_price_is_a_document_too(trained, tmp_path):
    recipe, _, _ = trained
    record, _ = answered("run", recipe, "--price", "--out", tmp_path / "no", "--device", "cpu")
    assert record["runs_left"] == 6
    assert record["seconds_left"] > 0
    assert {row["name"]: row["runs_left"] for row in record["variants"]} == {"baseline": 2, "glm": 2, "fast": 2}


def test_an_unknown_format_is_refused_before_anything_is_read(tmp_path):
    with pytest.raises(AblateError, match="--format xml is unknown\n\nhint: choose table or json"):
        CliRunner().invoke(app, ["run", str(tmp_path / "nothing.yaml"), "--format", "xml"], catch_exceptions=False)
