"""What is said of several models: each sentence once, with the models that it is about."""

from collections.abc import Iterable, Sequence

from ablate.result import ModelCost

Named = tuple[str, ModelCost]


def lints_of(models: Sequence[Named]) -> dict[str, list[str]]:
    """Each lint with its models."""
    return _gathered((lint, name) for name, cost in models for lint in cost.lints)


def notes_of(models: Sequence[Named]) -> dict[str, list[str]]:
    """Each note with its models."""
    return _gathered((f"{about}: {note}", name) for name, cost in models for about, note in cost.notes.items())


def whom(names: Sequence[str], models: Sequence[object]) -> str:
    """The models by name, or all of them in a word."""
    return "all variants" if len(names) == len(models) else ", ".join(names)


def _gathered(said: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for sentence, name in said:
        found.setdefault(sentence, []).append(name)
    return found
