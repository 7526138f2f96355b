from pydantic import BaseModel, Field

from ablate.recipe.vocabulary.help import help_of


class Ours(BaseModel):
    a: int = 1
    """What a is,
    in two lines."""
    b: str = Field(default="x", description="said otherwise")
    c: int = 2
    d: int = 3
    """What d is."""
    e: int = 4
    ("joined "
     "text")  # fmt: skip


class Theirs(BaseModel, use_attribute_docstrings=True):
    a: int = 1
    """What a is,
    in two lines."""
    b: str = Field(default="x", description="said otherwise")
    c: int = 2
    d: int = 3
    """What d is."""
    e: int = 4
    ("joined "
     "text")  # fmt: skip


class Again(Ours):
    d: int = 5
    """Another d."""


def test_help_is_the_docstring_under_a_field_as_pydantic_reads_it():
    said = {name: " ".join((field.description or "").split()) for name, field in Theirs.model_fields.items()}
    assert {name: help_of(Ours, name) for name in Ours.model_fields} == said
    assert said["a"] == "What a is, in two lines."


def test_an_inherited_field_keeps_its_help_unless_it_is_declared_again():
    assert help_of(Again, "a") == "What a is, in two lines."
    assert help_of(Again, "d") == "Another d."


def test_a_class_without_source_has_no_help():
    kind = type("Bare", (BaseModel,), {"__annotations__": {"a": int}})
    assert help_of(kind, "a") == ""
