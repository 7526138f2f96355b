"""Writes the generated tables into README.md and docs/, into every block that names its file: `<!-- table: PATH -->`.

`<!-- head: PATH -->` takes the first two paragraphs alone: of a ranked table what was asked and its rows, no notes.
"""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BLOCK = re.compile(r"<!-- (?P<part>table|head): (?P<path>[^ ]+) -->\n.*?<!-- end -->", re.DOTALL)


def filled(text: str) -> str:
    """A page's text with every block holding its file."""

    def block(found: re.Match[str]) -> str:
        table = (ROOT / found["path"]).read_text(encoding="utf-8").rstrip()
        if found["part"] == "head":
            table = "\n\n".join(table.split("\n\n")[:2])
        return f"<!-- {found['part']}: {found['path']} -->\n```\n{table}\n```\n<!-- end -->"

    return BLOCK.sub(block, text)


def pages() -> list[Path]:
    """README and everything in docs/."""
    return [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


if __name__ == "__main__":
    for page in pages():
        page.write_text(filled(page.read_text(encoding="utf-8")), encoding="utf-8")
