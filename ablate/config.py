"""The base of every configuration: frozen, unknown keys refused, and hashed by what differs from the defaults."""

from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict


class Config(BaseModel):
    """A frozen pydantic model. Use tuples for lists: freezing is shallow.

    Field docstrings become the help text of `ablate parts` (`recipe/vocabulary/help.py`).
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        validate_default=True,
        allow_inf_nan=False,
    )

    location_fields: ClassVar[tuple[str, ...]] = ()
    """Fields that say where something lies. What lies there is known by a hash of its content, so that moved files are
    the same."""

    def changed(self, **fields: object) -> Self:
        """The same with other values, all validated anew; `model_copy` would take them as they are."""
        return type(self)(**{**dict(self), **fields})

    def files_read(self) -> tuple[str, ...]:
        """The files and folders of trained weights that these options, or options within them, name."""
        return tuple(file for _, value in self if isinstance(value, Config) for file in value.files_read())

    def refuse_changes(self) -> None:
        """Raises AblateError where code that these options, or options within them, name is not what it was when they
        were read: asked before a run is trained."""
        for _, value in self:
            if isinstance(value, Config):
                value.refuse_changes()


def part_type(value: object) -> str | None:
    """The `type` of a part; None of a config that is no part, and of any other value."""
    return getattr(value, "type", None) if isinstance(value, BaseModel) else None  # only parts have one


def non_default(config: BaseModel, *, locations: bool = True) -> dict[str, Any]:
    """The fields that differ from their defaults, nested; a `type` always stays. locations: those that say where
    something lies, too.

    Content keys are made from this, so that a new option with a default leaves old results valid. Values are plain:
    numbers, texts, lists and such dicts again.
    """
    left_out = config.location_fields if isinstance(config, Config) and not locations else ()
    kept: dict[str, object] = {}
    for name, value in config:
        default = type(config).model_fields[name].get_default(call_default_factory=True, validated_data={})
        if (name == "type" or value != default) and name not in left_out:
            kept[name] = _plain(value, locations)
    return kept


def _plain(value: object, locations: bool) -> object:
    """Configs to dicts of their non-defaults, tuples to lists; everything else as it is."""
    if isinstance(value, BaseModel):
        return non_default(value, locations=locations)
    if isinstance(value, tuple | list):
        return [_plain(item, locations) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item, locations) for key, item in value.items()}
    return value
