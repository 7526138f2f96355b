"""`execution:` in a recipe and in the site's file: how runs are executed, and nothing of what they are."""

import pytest

from ablate.errors import AblateError
from ablate.execution import engine
from ablate.execution.engine import ENGINES, Engine, engine_of, entry_of
from ablate.execution.job import Settings
from ablate.recipe.execution import execution_of
from ablate.recipe.load import read_recipe

RECIPE = "data: {type: synthetic_v1}\nbaseline: {core: {type: vivit}}\n"


@pytest.fixture(autouse=True)
def _no_site(tmp_path, monkeypatch):
    monkeypatch.delenv("ABLATE_SITE", raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def node(text: str):
    return read_recipe(RECIPE + text, "r.yaml").execution


def test_the_pool_is_the_default_and_a_recipe_may_say_otherwise():
    assert execution_of(node("")).engine == "pool"
    found = execution_of(
        node("execution: {engine: slurm, hours: 4, slurm: {partition: gpu, setup: [module load x]}}\n")
    )
    assert (found.engine, found.hours) == ("slurm", 4)
    assert found.section().partition == "gpu"
    assert found.section().setup == ("module load x",)


def test_workers_are_a_number_or_auto():
    assert execution_of(node("execution: {workers: auto}\n")).workers == "auto"
    with pytest.raises(AblateError, match=r"`execution\.workers` is 0, expected auto or a whole number of at least 1"):
        execution_of(node(""), workers=0)


def test_the_command_line_stands_over_the_recipe_and_the_recipe_over_the_site(tmp_path, monkeypatch):
    site = tmp_path / "config" / "ablate" / "site.yaml"
    site.parent.mkdir(parents=True)
    site.write_text("engine: slurm\ncpus: 4\nslurm: {account: lab, partition: long}\n")
    found = execution_of(node("execution: {cpus: 2, slurm: {partition: gpu}}\n"), engine=None, workers=7)
    assert (found.engine, found.cpus, found.workers) == ("slurm", 2, 7)
    assert (found.section().account, found.section().partition) == ("lab", "gpu")
    assert execution_of(node("execution: {engine: slurm}\n"), engine="pool").engine == "pool"
    monkeypatch.setenv("ABLATE_SITE", str(tmp_path / "nowhere.yaml"))
    with pytest.raises(AblateError, match="there is no such file"):
        execution_of(node(""))


def test_a_wrong_line_of_the_sites_file_is_told_with_its_place(tmp_path, monkeypatch):
    site = tmp_path / "cluster.yaml"
    site.write_text("engine: slurm\nslurm:\n  acount: lab\n")
    monkeypatch.setenv("ABLATE_SITE", str(site))
    with pytest.raises(AblateError) as caught:
        execution_of(node(""))
    assert (
        str(caught.value) == f"error: {site}:3: unknown key `execution.slurm.acount`\n\nhint: did you mean `account`?"
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("execution: slurm\n", "r.yaml:3: `execution` is the text `slurm`, expected a mapping"),
        (
            "execution: {engine: slrm}\n",
            "`execution.engine` is the text `slrm`, expected one of inline, pool, slurm, ray",
        ),
        ("execution: {cpu: 2}\n", "unknown key `execution.cpu`\n\nhint: did you mean `cpus`?"),
        ("execution: {hours: 0}\n", "`execution.hours` is 0, expected a number"),
        ("execution: {slurm: {partitions: x}}\n", "unknown key `execution.slurm.partitions`"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(text, problem):
    with pytest.raises(AblateError) as caught:
        node(text)
    assert problem in str(caught.value)


def test_an_engine_that_nobody_wrote_is_told_with_the_nearest():
    with pytest.raises(AblateError) as caught:
        entry_of("slurmm")
    assert str(caught.value) == "error: --engine: no engine is called `slurmm`\n\nhint: did you mean `slurm`?"


def test_an_engine_without_its_package_names_the_extra(monkeypatch):
    monkeypatch.setattr(engine, "find_spec", lambda name: None)
    with pytest.raises(AblateError) as caught:
        entry_of("slurm")
    assert str(caught.value) == (
        "error: --engine: engine `slurm` needs the package submitit, which is not installed\n\n"
        "hint: pip install 'ablate[slurm]'"
    )


@pytest.mark.parametrize("name", ENGINES)
def test_every_engine_of_the_register_keeps_the_protocol(name, monkeypatch):
    monkeypatch.setattr(engine, "find_spec", lambda name: object())
    assert isinstance(engine_of(Settings(engine=name)), Engine)
