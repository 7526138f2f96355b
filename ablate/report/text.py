"""Text that came from recipes, made safe to print: one line, bounded where it must be."""


def plain(text: str) -> str:
    """One printable line: names and titles come from recipes and may hold anything, escape sequences among it."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def cut(text: str, width: int) -> str:
    """Shortened with an ellipsis."""
    return text if len(text) <= width else text[: max(width - 1, 1)].rstrip() + "…"
