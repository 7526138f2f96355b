"""A figure as inline SVG that follows the page: its text is the page's, its greys and colours are the page's variables.

No address remains in it, and its identifiers carry the figure's name, so that two figures never share one.
"""

import re

from markupsafe import Markup
from matplotlib.figure import Figure

from ablate.report.figures import rendered
from ablate.report.figures.style import BAND, BASELINE, GRID, INK, MUTED, OKABE_ITO, PAPER

VARIABLES = {
    INK: "currentColor",
    MUTED: "var(--muted)",
    GRID: "var(--grid)",
    PAPER: "var(--paper)",
    BAND: "var(--band)",
    BASELINE: "var(--baseline)",
    **{color: f"var(--c{index})" for index, color in enumerate(OKABE_ITO)},
}


SCALE = 1.6
"""CSS pixels a point: the figures' 8.5 points become 13.6 pixels, a little less than the text around them."""


def inline_svg(figure: Figure, name: str, label: str, *, scale: float = SCALE) -> Markup:
    """label: what a screen reader says. scale: CSS pixels a point at full size."""
    text = rendered(figure, "svg").decode()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'<style type="text/css">.*?</style>', "", text, flags=re.DOTALL)
    text = re.sub(r"\bxlink:href=", "href=", text)
    text = re.sub(r' id="([^"]+)"', rf' id="{name}-\1"', text)
    text = re.sub(r'(href="|url\()#', rf"\1#{name}-", text)
    text = re.sub("|".join(VARIABLES), lambda found: VARIABLES[found[0]], text)
    text = text.replace("'DejaVu Sans'", "inherit")
    return Markup(_opened(text, label, scale))


def _opened(text: str, label: str, scale: float) -> str:
    """The opening tag with the drawing's size as its largest width, and what it shows in words."""
    size = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', text)
    assert size is not None  # matplotlib always writes one
    width = float(size[1]) * scale
    opening = Markup(
        '<svg width="{width:.0f}" viewBox="0 0 {size[1]} {size[2]}" role="img" aria-label="{label}" '
        'style="max-width: {width:.0f}px">'
    ).format(width=width, size=size, label=label)
    return re.sub(r"<svg[^>]*>", lambda _: opening, text, count=1)
