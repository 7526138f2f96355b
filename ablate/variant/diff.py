"""Two configurations, or two costs, in; what differs out: by key path, in a few words, and as sentences."""

import json
from collections.abc import Mapping

from pydantic import BaseModel

from ablate.config import part_type
from ablate.recipe import Configuration
from ablate.recipe.resolve import SECTIONS
from ablate.result.record import ModelCost

Differences = dict[str, tuple[object, object]]
SHORT = 60  # characters: the column `what it changes` of an 80-column terminal, beside the variant's name


def differences(before: Configuration, after: Configuration) -> Differences:
    """Key path -> (value before, value after): `baseline.core.tokenizer.stride: ([8, 8, 8], [8, 4, 4])`.

    Where a part is replaced by one of another type, only its `type` and what is no default of the new part are named.
    """
    found: Differences = {}
    old, new = dict(before), dict(after)
    for field, word in SECTIONS.items():
        _compare(old[field], new[field], word, found)
    return found


def _compare(before: object, after: object, path: str, found: Differences) -> None:
    if not (isinstance(before, BaseModel) and isinstance(after, BaseModel)):
        if before != after:
            _leaf(before, after, path, found)
        return
    if type(before) is type(after):
        for (name, old), (_, new) in zip(before, after, strict=True):
            _compare(old, new, f"{path}.{name}", found)
        return
    found[f"{path}.type"] = (part_type(before), part_type(after))
    for name, value in after:
        field = type(after).model_fields[name]
        if name != "type" and value != field.get_default(call_default_factory=True, validated_data={}):
            _leaf(None, value, f"{path}.{name}", found)


def _leaf(before: object, after: object, path: str, found: Differences) -> None:
    """One difference; mappings (a user's own `params`) by their keys."""
    if isinstance(before, dict) and isinstance(after, dict):
        for key in dict.fromkeys((*before, *after)):
            if before.get(key) != after.get(key):
                found[f"{path}.{key}"] = (plain(before.get(key)), plain(after.get(key)))
    else:
        found[path] = (plain(before), plain(after))


def plain(value: object) -> object:
    """As it would be read back from JSON: lists for tuples, dicts for configs."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json")
    return json.loads(json.dumps(value, default=str))


def changes(found: Mapping[str, tuple[object, object]], limit: int = SHORT) -> str:
    """The differences in a few words: `tokenizer.kernel_size, stride 8,8,8 -> 8,4,4; +2 more`."""
    phrases: list[str] = []
    last = ("", "")  # the part, and the change in words, of the phrase before
    for path, (before, after) in sorted(found.items(), key=lambda change: not change[0].endswith(".type")):
        owner, _, name = path.rpartition(".")
        if name == "content" and ".params." not in path:  # the hash of a file says nothing to a reader
            continue
        part = owner.rpartition(".")[2]
        change = _words(after) if before is None else f"{_words(before)} -> {_words(after)}"
        if name != "type" and last == (owner, change):  # the same change of two options of a part is named once
            phrases[-1] = phrases[-1].removesuffix(f" {change}") + f", {name} {change}"
            continue
        subject = (
            part if name == "type" else name if owner == last[0] or part in SECTIONS.values() else f"{part}.{name}"
        )
        phrases.append(f"{subject} {change}")
        last = (owner, change)
    return _shortened(phrases, limit) if phrases else "nothing"


def _shortened(phrases: list[str], limit: int) -> str:
    for count in range(len(phrases), 0, -1):
        more = f"; +{len(phrases) - count} more" if count < len(phrases) else ""
        text = "; ".join(phrases[:count]) + more
        if len(text) <= limit:
            return text
    more = f"; +{len(phrases) - 1} more" if len(phrases) > 1 else ""
    return phrases[0][: limit - len(more) - 3].rstrip() + "..." + more


def _words(value: object) -> str:
    if isinstance(value, list):
        return ",".join(_words(item) for item in value)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, dict):
        return ",".join(f"{key}={_words(item)}" for key, item in value.items() if key != "content")
    return "none" if value is None else str(value)


def also_changed(before: ModelCost, after: ModelCost) -> tuple[str, ...]:
    """What else moved beside the patch's intent: `tokenizer -4.23 M weights`, `36 -> 144 tokens`, `pixels never
    seen 0 -> 11 %`."""
    found = [
        _weights(name, before.parts.get(name, 0), after.parts.get(name, 0)) for name in (before.parts | after.parts)
    ]
    for name in before.frozen | after.frozen:
        were, are = before.frozen.get(name, 0), after.frozen.get(name, 0)
        if were != are:
            found.append(f"{name} {count(were)} -> {count(are)} weights frozen")
    flops = _ratio(before.total_flops, after.total_flops)
    if flops:
        found.append(f"FLOPs x{flops}")
    if None not in (before.bins_per_step, after.bins_per_step) and before.bins_per_step != after.bins_per_step:
        found.append(f"supervised bins a step {before.bins_per_step} -> {after.bins_per_step}")
    if before.reads_spikes != after.reads_spikes:
        found.append(_condition(after.reads_spikes))
    found += _tokens(before, after)
    if round(before.pixels_never_seen, 3) != round(after.pixels_never_seen, 3):
        found.append(f"pixels never seen {100 * before.pixels_never_seen:.0f} -> {100 * after.pixels_never_seen:.0f} %")
    fields = (before.receptive_field or {}, after.receptive_field or {})
    for axis in fields[0] | fields[1]:
        old, new = fields[0].get(axis), fields[1].get(axis)
        if old is not None and new is not None and old != new:
            found.append(f"receptive field {old:g} -> {new:g} {axis}")
    return tuple(sentence for sentence in found if sentence)


def _weights(name: str, before: int, after: int) -> str:
    change = after - before
    return f"{name} {'+' if change > 0 else '-'}{count(abs(change))} weights" if change else ""


def _condition(bins: int) -> str:
    """What a gain must not be read without."""
    return f"scores given the spikes of {bins} bins before" if bins else "scores no longer given past spikes"


def _tokens(before: ModelCost, after: ModelCost) -> list[str]:
    if before.tokens is None or after.tokens is None:
        return []
    found = []
    old, new = before.tokens, after.tokens
    if old.space != new.space:
        combinations = [grid[0] * grid[1] for grid in (old.space, new.space)]
        found.append(
            f"{combinations[0]} -> {combinations[1]} tokens in space"
            if combinations[0] != combinations[1]
            else f"grid {_grid(old.space)} -> {_grid(new.space)}"
        )
    if old.time != new.time:
        found.append(f"{old.time} -> {new.time} tokens in time")
    return found


def _grid(space: tuple[int, int]) -> str:
    return f"{space[0]}x{space[1]}"


def _ratio(before: int, after: int) -> str:
    if before <= 0 or after <= 0 or abs(after / before - 1) < 0.005:
        return ""
    return f"{after / before:.2g}" if after / before < 10 else f"{after / before:.0f}"


def count(number: int) -> str:
    """4,230,144 -> `4.23 M`; 12,345 -> `12.3 k`."""
    if number >= 999_500:
        return f"{number / 1e6:.3g} M"
    return f"{number / 1e3:.3g} k" if number >= 1000 else str(number)
