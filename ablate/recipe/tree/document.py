"""YAML text in, plain values out, each with the line it was written on.

The file is data from a stranger: tags, merge keys and several documents are refused, and so is whatever grows when
it is read (aliases of aliases). Scalars follow the core schema of YAML 1.2, where `off` and `no` are text and
`1e-3` is a number; YAML 1.1 reads them as false and as text.
"""

import re
import warnings
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError

from ablate.disk.absent import absent
from ablate.errors import AblateError, Problems
from ablate.recipe.tree.build import TreeBuilder
from ablate.recipe.tree.node import Node, kind

TAB_AFTER_COLON = re.compile(r"""^([ ]*(?:- )?[\w.+-]+:)\t[ \t]*""", re.MULTILINE)
"""YAML allows it, the parser does not."""
MAX_BYTES = 512 * 1024  # a recipe is written by a person; the largest shipped one has a few kilobytes


def read_text(path: Path) -> str:
    """The file's text. Raises AblateError: missing, a folder, unreadable, too large, not text."""
    name = str(path).replace("\0", "\\0")
    try:
        if not path.exists():
            raise absent(path, "no such file", "give the path of a recipe, for example recipes/quickstart.yaml")
        if not path.is_file():
            raise AblateError("this is not a file", where=name, hint="give the path of one YAML file")
        if path.stat().st_size > MAX_BYTES:
            raise AblateError(f"the file is larger than {MAX_BYTES // 1024} KiB, too large for a recipe", where=name)
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise AblateError("this is not a text file in UTF-8", where=name, hint="a recipe is a YAML file") from error
    except (OSError, ValueError) as error:  # ValueError: a null byte in the path
        raise AblateError(f"cannot be read ({_reason(error)})", where=name) from error


def parse(text: str, name: str, problems: Problems) -> Node:
    """The tree of a YAML text whose top level is a mapping; `name` stands before the line in messages.

    Raises AblateError where there is no tree to go on with.
    """
    root = parse_value(text, name, problems)
    if root is None:
        raise AblateError(
            "the file is empty", where=name, hint="a recipe starts with name, question, data, and baseline"
        )
    if not root.is_mapping:
        raise AblateError(
            f"the top level is {kind(root)}, expected a mapping",
            where=name,
            hint="a recipe is made of lines such as `name: my_study`",
        )
    return root


def parse_value(text: str, name: str, problems: Problems, *, numbered: bool = True) -> Node | None:
    """The tree of any YAML text; None when it holds nothing. numbered: whether places carry a line."""
    builder = TreeBuilder(name, numbered, problems)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # ruamel warns of anchors written twice: the later one wins, as in YAML
            return builder.document(YAML(typ="safe", pure=True).parse(TAB_AFTER_COLON.sub(r"\1 ", text)))
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{name}:{mark.line + 1}" if mark and numbered else name
        what = " ".join(str(part) for part in (error.context, error.problem) if part)
        hint = "YAML indents by spaces and writes `key: value` with a space after the colon"
        raise AblateError(f"this is not YAML: {what}", where=where, hint=hint) from error
    except YAMLError as error:
        raise AblateError(f"this is not YAML: {str(error).splitlines()[0]}", where=name) from error
    except AblateError:
        raise
    except Exception as error:  # the parser itself fails on some broken input; that is still the file's fault
        raise AblateError(f"this is not YAML ({type(error).__name__})", where=name) from error


def _reason(error: BaseException) -> str:
    return str((error.strerror if isinstance(error, OSError) else None) or error)
