"""Writes the generated tables into README.md and docs/, into every block that names its file: `<!-- table: PATH -->`.

`<!-- head: PATH -->` takes the first two paragraphs alone: of a ranked table what was asked and its rows, no notes.
`PATH#ENTRY` is what a script under tests/benchmarks/ printed, and beneath it when and on what: an entry of a JSON.
"""

import json
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BLOCK = re.compile(r"<!-- (?P<part>table|head): (?P<path>[^ ]+) -->\n.*?<!-- end -->", re.DOTALL)


def filled(text: str) -> str:
    """A page's text with every block holding its file."""

    def block(found: re.Match[str]) -> str:
        table = table_of(found["path"])
        if found["part"] == "head":
            table = "\n\n".join(table.split("\n\n")[:2])
        return f"<!-- {found['part']}: {found['path']} -->\n```\n{table}\n```\n<!-- end -->"

    return BLOCK.sub(block, text)


def table_of(path: str) -> str:
    """A file's text, or what an entry of the benchmarks' JSON printed with the machine below it."""
    file, _, name = path.partition("#")
    text = (ROOT / file).read_text(encoding="utf-8").rstrip()
    if not name:
        return text
    entry = json.loads(text)[name]
    facts, on = [entry["when"]], entry["environment"]
    if on:
        facts += [f"{on['processor']}, {on['cores']} cores", "load {:g} to {:g}".format(*entry["load"])]
        facts += [f"Python {on['python']}", f"torch {on['packages']['torch']}", f"commit {on['git']['commit'][:7]}"]
        facts[-1] += " with changes" if on["git"]["dirty"] else ""
    return "\n".join([*entry["printed"], "", ", ".join(facts)])


def pages() -> list[Path]:
    """README and everything in docs/."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


if __name__ == "__main__":
    for page in pages():
        page.write_text(filled(page.read_text(encoding="utf-8")), encoding="utf-8")
