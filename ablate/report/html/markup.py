"""Text into HTML that cannot break out of its place: everything is escaped unless this module made it."""

from collections.abc import Iterable
from html import escape
from typing import Any

VOID = frozenset({"br", "hr", "meta", "link", "col", "img"})


Child = str | Iterable[Any] | None
"""Text, markup, several of them, or nothing."""


class Html(str):
    """Finished markup; a plain `str` is text and is escaped."""


def html(child: Child) -> Html:
    """Text escaped, markup as it is, several of them one after the other, None as nothing."""
    if child is None:
        return Html("")
    if isinstance(child, Html):
        return child
    if isinstance(child, str):
        return Html(escape(printable(child)))
    return Html("".join(html(one) for one in child))


def tag(name: str, /, *children: Child, **attributes: str | bool | None) -> Html:
    """`tag("td", "a < b", class_="right")` -> `<td class="right">a &lt; b</td>`; None leaves one out."""
    written = "".join(
        f" {key.rstrip('_').replace('_', '-')}" + ("" if value is True else f'="{escape(printable(str(value)))}"')
        for key, value in attributes.items()
        if value is not None and value is not False
    )
    if name in VOID:
        return Html(f"<{name}{written}>")
    return Html(f"<{name}{written}>{html(children)}</{name}>")


def printable(text: str) -> str:
    """Without control characters (escape sequences among them); new lines stay."""
    return "".join(letter if letter.isprintable() or letter in "\n\t" else " " for letter in text)


def table(head: Iterable[str], rows: Iterable[Iterable[str]], *, class_: str = "", right: Iterable[int] = ()) -> Html:
    """A table that scrolls sideways where it does not fit. right: the columns of numbers."""
    sides = set(right)

    def line(cells: Iterable[str], name: str) -> Html:
        made = (
            cell
            if isinstance(cell, Html) and cell.startswith(("<td", "<th"))
            else tag(name, cell, class_="right" if index in sides else None)
            for index, cell in enumerate(cells)
        )
        return tag("tr", made)

    body = tag("tbody", (line(row, "td") for row in rows))
    whole = tag("table", tag("thead", line(head, "th")), body, class_=class_ or None)
    return tag("div", whole, class_="scroll")


def section(anchor: str, title: str, *children: Child) -> Html:
    """A section with a heading that can be linked to; nothing where it has no content."""
    content = html(children)
    return Html("") if not content else tag("section", tag("h2", title), content, id=anchor)
