"""Plain scalars by the core schema of YAML 1.2, where `off` and `no` are text and `1e-3` is a number."""

import math
import re

LARGEST = 2**53  # beyond it a float no longer holds every whole number, and no option has a use for one

Scalar = str | int | float | bool | None

INTEGER = re.compile(r"[-+]?[0-9]+")
OCTAL, HEXADECIMAL = re.compile(r"0o[0-7]+"), re.compile(r"0x[0-9a-fA-F]+")
WHOLE_POWER = re.compile(r"([-+]?[0-9]+)[eE]\+?([0-9]{1,2})")
DECIMAL = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
INFINITE, NOT_A_NUMBER = re.compile(r"[-+]?\.(inf|Inf|INF)"), re.compile(r"\.(nan|NaN|NAN)")
WORDS: dict[str, Scalar] = {"": None, "~": None, "null": None, "Null": None, "NULL": None}
WORDS |= {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}


def scalar(text: str) -> Scalar:
    """A plain scalar by the core schema of YAML 1.2; `3e4` is read as the whole number that it is.

    Raises ValueError for a whole number beyond `LARGEST`.
    """
    if text in WORDS:
        return WORDS[text]
    if INTEGER.fullmatch(text):
        return _bounded(int(text))
    if OCTAL.fullmatch(text) or HEXADECIMAL.fullmatch(text):
        return _bounded(int(text, 0))
    if power := WHOLE_POWER.fullmatch(text):
        return _bounded(int(power[1]) * 10 ** int(power[2]))
    if DECIMAL.fullmatch(text):
        return float(text)
    if INFINITE.fullmatch(text):
        return -math.inf if text.startswith("-") else math.inf
    return math.nan if NOT_A_NUMBER.fullmatch(text) else text


def _bounded(number: int) -> int:
    if abs(number) > LARGEST:
        raise ValueError(f"beyond {LARGEST}")
    return number
