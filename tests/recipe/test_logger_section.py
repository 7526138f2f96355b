"""`log:` in a recipe, and `--log`: which loggers are told, and with which options."""

import pytest

from ablate import logger
from ablate.errors import AblateError
from ablate.logger import LOGGERS, Logger, chosen_loggers
from ablate.logger.mlflow import MlflowConfig
from ablate.logger.tensorboard import TensorBoardConfig
from ablate.recipe.load import read_recipe

RECIPE = "data: {type: synthetic_v1}\nbaseline: {core: {type: vivit}}\n"


def log(text: str, *sets: str):
    return read_recipe(RECIPE + text, "r.yaml", sets).log


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", ()),
        ("log:\n", ()),
        ("log: tensorboard\n", (TensorBoardConfig(),)),
        ("log: {type: mlflow, uri: http://here:5000}\n", (MlflowConfig(uri="http://here:5000"),)),
        ("log: [mlflow, {type: tensorboard, folder: x}]\n", (MlflowConfig(), TensorBoardConfig(folder="x"))),
    ],
)
def test_one_or_several_by_name_or_with_options(text, found):
    assert log(text) == found


def test_the_command_line_may_lay_another_over_it():
    assert log("log: tensorboard\n", "log={type: mlflow, uri: x}") == (MlflowConfig(uri="x"),)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("log: tensorbord\n", "r.yaml:3: `log.type` is `tensorbord`, which is no type of log"),
        ("log: 3\n", "r.yaml:3: `log` is 3, expected a logger"),
        ("log: [{type: mlflow, url: x}]\n", "unknown key `log[1].url`\n\nhint: did you mean `uri`?"),
        ("log: [{uri: x}]\n", "`log[1].type` is missing"),
        ("log: [{type: mlflow, uri: 3}]\n", "`log[1].uri` is 3, expected text"),
        ("log: [mlflow, mlflow]\n", "`log` names a logger twice"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(text, problem):
    with pytest.raises(AblateError) as caught:
        log(text)
    assert problem in str(caught.value)


def test_a_logger_that_nobody_wrote_is_told_with_the_nearest():
    for flag, hint in (("tensor_board", "did you mean `tensorboard`?"), ("x", "loggers: tensorboard, mlflow, wandb")):
        with pytest.raises(AblateError) as caught:
            chosen_loggers((), flag)
        assert str(caught.value).startswith(f"error: --log: no logger is called `{flag}`\n\nhint: {hint}")


def test_every_logger_is_in_the_register_with_its_type_and_has_an_extra(monkeypatch):
    import tomllib
    from pathlib import Path

    monkeypatch.setattr(logger, "find_spec", lambda name: object())
    assert [one.type for one in chosen_loggers((), ",".join(LOGGERS))] == list(LOGGERS)
    extras = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]
    for name, kind in LOGGERS.items():
        assert extras["optional-dependencies"][name][0].startswith(kind.needs)


def test_a_class_that_lacks_a_method_is_no_logger():
    assert not isinstance(object(), Logger)
