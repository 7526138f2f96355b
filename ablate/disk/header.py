"""A small YAML file that people write by hand: keys and values, or one message with the line that is wrong."""

import json
import re
import warnings
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError

from ablate.disk.read import Json
from ablate.errors import AblateError

MOST_BYTES = 1 << 20  # a header is a few lines; a megabyte of it is a mistake or an attack
TAB_AFTER_COLON = re.compile(r"""^([ ]*(?:- )?[\w.+-]+:)\t[ \t]*""", re.MULTILINE)
"""YAML allows it, the parser does not."""


def read_header(path: Path) -> Json:
    """The keys as text. Raises AblateError, with the folder as its place, for what is missing, too large, not UTF-8,
    not YAML (a key that stands twice, several documents), or no keys and values."""
    name, where = path.name, str(path.parent)
    if not path.is_file():
        raise AblateError(f"{name} is missing", where=where)
    try:
        if path.stat().st_size > MOST_BYTES:
            raise AblateError(f"{name} is larger than 1 MB", where=where)
        written = path.read_bytes()
    except OSError as error:
        raise AblateError(f"{name} cannot be read: {error.strerror}", where=where) from error
    try:
        text = written.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = written[: error.start].count(b"\n") + 1
        what = f"{name}, line {line}: is not UTF-8 (byte 0x{written[error.start]:02x})"
        raise AblateError(what, where=where, hint="save it as UTF-8") from error
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            header = YAML(typ="safe", pure=True).load(TAB_AFTER_COLON.sub(r"\1 ", text))
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        at = f", line {mark.line + 1}" if mark else ""
        reason = str(error.problem or "").partition(" with ")[0].removeprefix("but ")
        hint = "YAML indents by spaces and writes `key: value` with a space after the colon"
        raise AblateError(f"{name}{at}: is not YAML: {reason}", where=where, hint=hint) from error
    except Exception as error:  # the parser itself fails on some broken input; that is still the file's fault
        raise AblateError(f"{name} is not YAML ({type(error).__name__})", where=where) from error
    if not isinstance(header, dict):
        raise AblateError(f"{name} must hold keys and values", where=where)
    return {str(key): value for key, value in header.items()}


def as_scalar(text: str) -> str:
    """A text as it may stand in a recipe, also within braces: in quotation marks where YAML would read something else
    (`day [2024]`, `a: b`, `1e3`)."""
    try:
        plain = YAML(typ="safe", pure=True).load(f"{{x: {text}}}") == {"x": text}
    except Exception:  # whatever it is to the parser, it is no plain text
        plain = False
    return text if plain else json.dumps(text, ensure_ascii=False)
