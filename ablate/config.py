"""The base of every configuration: frozen, unknown keys refused, and hashed by what differs from the defaults."""

from typing import Any

from pydantic import BaseModel, ConfigDict


class Config(BaseModel):
    """A frozen pydantic model. Use tuples for lists: freezing is shallow.

    Field docstrings become the help text of `ablate parts`.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        use_attribute_docstrings=True,
        validate_default=True,
        allow_inf_nan=False,
    )


def non_default(config: BaseModel) -> dict[str, Any]:
    """The fields that differ from their defaults, nested; a `type` always stays.

    Content keys are made from this, so that a new option with a default leaves old results valid.
    """
    kept: dict[str, Any] = {}
    for name, field in type(config).model_fields.items():
        value = getattr(config, name)
        default = field.get_default(call_default_factory=True, validated_data={})
        if name == "type" or value != default:
            kept[name] = _plain(value)
    return kept


def _plain(value: Any) -> Any:
    """Configs to dicts of their non-defaults, tuples to lists; everything else as it is."""
    if isinstance(value, BaseModel):
        return non_default(value)
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    return value
