"""Whatever is done to a recipe, its author gets a message, never a traceback."""

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from ablate.errors import AblateError
from ablate.recipe import read_recipe
from ablate.variant import lay_out

WORDS = [
    "null",
    "true",
    "off",
    "-1",
    "0",
    "1e-3",
    "1e400",
    ".nan",
    "[]",
    "{}",
    "[1, 2]",
    "x",
    "''",
    "&a b",
    "*a",
    "!!int 3",
]
WORDS += [
    "{type: resnet}",
    "{type: import}",
    "{params: {}}",
    "- -",
    "{type: {a: b}}",
    "99999999999999999999",
    "\u0000",
    "é: ☃",
]
KEYS = [
    "core",
    "convnet",
    "model",
    "baseline",
    "params",
    "type",
    "tokenizer",
    "was",
    "expect",
    "order",
    "a.b",
    ".",
    "",
    "<<",
]


@st.composite
def mutated(draw, text: str) -> str:
    """A recipe with some of its lines cut, swapped, doubled, indented, or with another value."""
    lines = text.splitlines()
    for _ in range(draw(st.integers(1, 4))):
        place = draw(st.integers(0, len(lines) - 1))
        line, action = lines[place], draw(st.integers(0, 6))
        if action == 0:
            lines[place] = ""
        elif action == 1:
            lines.insert(place, line)
        elif action == 2:
            lines[place] = " " * draw(st.integers(0, 6)) + line.strip()
        elif action == 3 and ":" in line:
            lines[place] = line.split(":")[0] + ": " + draw(st.sampled_from(WORDS))
        elif action == 4 and ":" in line:
            indent = line[: len(line) - len(line.lstrip())]
            lines[place] = indent + draw(st.sampled_from(KEYS)) + ":" + line.split(":", 1)[1]
        elif action == 5:
            cut = draw(st.integers(0, len(line)))
            lines[place] = line[:cut] + draw(st.text(max_size=3)) + line[cut:]
        else:
            other = draw(st.integers(0, len(lines) - 1))
            lines[place], lines[other] = lines[other], lines[place]
    return "\n".join(lines) + "\n"


def read_all(text: str, sets: tuple[str, ...] = ()) -> None:
    """Reads a recipe to the end, and asks that every problem says something."""
    told = ""
    try:
        lay_out(read_recipe(text, "x.yaml", sets))
    except AblateError as error:
        told = str(error)
        problems = error.problems
    if told:
        assert all(problem.what for problem in problems)
        assert "pydantic" not in told


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_a_mutated_recipe_is_read_or_told(good, data):
    read_all(data.draw(mutated(good)))


@pytest.mark.slow
@settings(max_examples=3000, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_thousands_of_mutated_recipes_are_read_or_told(good, data):
    read_all(data.draw(mutated(good)))


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60))
@example("a: 1\n? b\n")
@example("{a: {a: {a: 1}}}")
@example("%YAML 1.1\n---\na: off\n")
def test_any_text_is_read_or_told(text):
    read_all(text)


KEY = st.sampled_from(
    [*KEYS, "training.steps", "data", "seeds", "patches.p1", "core.type", "variants", "glm", "patches"]
)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(KEY, st.sampled_from(WORDS)), max_size=3))
def test_any_override_is_read_or_told(good, pairs):
    read_all(good, tuple(f"{key}={value}" for key, value in pairs))
