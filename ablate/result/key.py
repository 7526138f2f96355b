"""A run's name is what it is: a hash of its configuration, its seed and its data.

`key = blake2b(canonical_json({configuration, data, seed}))[:20 hex]`, over the fields that differ from their defaults
(`ablate.config.non_default`), so that a new option with a default leaves old results valid. Canonical JSON sorts the
keys, drops white space and writes a number one way: 1e3, 1000.0 and 1000 are the same number and give the same key.
"""

import json
from collections.abc import Mapping
from enum import Enum
from pathlib import PurePath

from ablate.disk.digest import text_hash
from ablate.errors import AblateError

_EXACT = 2**53
"""Up to here a float holds every integer exactly."""


def content_key(configuration: Mapping[str, object], seed: int, data_fingerprint: str) -> str:
    """The key of a run: 20 hex characters. `configuration` holds the fields that differ from their defaults."""
    identity = {"configuration": configuration, "data": data_fingerprint, "seed": seed}
    return text_hash(canonical_json(identity))


def canonical_json(value: object) -> str:
    """One text for one value: sorted keys, no white space, numbers written one way. Raises AblateError on NaN."""
    try:
        return json.dumps(_canonical(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    except RecursionError:
        raise AblateError("the configuration is nested too deep to be hashed") from None


def _canonical(value: object) -> object:
    if value is None or isinstance(value, bool | str | int):
        return value
    if isinstance(value, float):
        if value != value or value in (float("inf"), float("-inf")):
            raise AblateError(f"a configuration cannot hold {value}", hint="use null for 'not set'")
        return int(value) if value.is_integer() and abs(value) < _EXACT else value
    if isinstance(value, Mapping):
        return {str(key): _canonical(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_canonical(item) for item in value]
    if isinstance(value, Enum):
        return _canonical(value.value)
    if isinstance(value, PurePath):
        return value.as_posix()
    raise AblateError(f"a configuration cannot hold a {type(value).__name__}: {value!r:.80}")
