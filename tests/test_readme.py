"""The README says what is so: its tables are the generated ones, its links lead somewhere, its commands are CI's."""

import importlib.util
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_its_tables_are_the_ones_that_were_generated():
    spec = importlib.util.spec_from_file_location("readme", ROOT / "results" / "readme.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    assert "<!-- head: results/quickstart/table.txt -->" in README
    pages = {page.name: page.read_text(encoding="utf-8") for page in module.pages()}
    assert {"README.md", "performance.md", "reliability.md"} <= set(pages)
    assert {name for name, text in pages.items() if module.filled(text) != text} == set()


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\(([^)#:]+)\)", README))))
def test_a_link_leads_somewhere(target):
    assert (ROOT / target).exists()


def test_every_recipe_is_listed():
    recipes = {path.name for path in (ROOT / "recipes").glob("*.yaml")}
    assert recipes
    assert {name for name in recipes if f"recipes/{name}" not in README} == set()


def test_it_has_the_two_commands_that_ci_runs():
    commands = [line for line in README.splitlines() if line.startswith("python3 -m venv")]
    assert len(commands) == 2
    assert "ablate run recipes/quickstart.yaml" in commands[0]
    assert commands[1].endswith("pytest")
