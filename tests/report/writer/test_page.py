"""The HTML report: self-contained, escaped, complete, and the same bytes for the same study."""

import re
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import pytest
from drawn_study import analysed, rich
from figures.test_model_figures import picture
from planted import BASELINE, Planted, around, cost, shifted

from ablate.analysis.outcome import StudyAnalysis
from ablate.errors import AblateError
from ablate.report import compose
from ablate.report.content.table.breakdown import merged
from ablate.report.writer import page as writer
from ablate.report.writer.page import write_page
from ablate.result import Store
from ablate.result.picture import write_picture

VOID = {"meta", "br", "hr", "img", "link", "col"}


class Reader(HTMLParser):
    """Text, identifiers and addresses of a page; fails where tags do not close in order."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text: list[str] = []
        self.tags: list[str] = []
        self.ids: list[str] = []
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name == "id" and value:
                self.ids.append(value)
            if name in ("href", "src", "action", "xlink:href") and value:
                self.addresses.append(value)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def read(text: str) -> Reader:
    reader = Reader()
    reader.feed(text)
    reader.close()
    assert reader.open == []
    return reader


def page(analysis: StudyAnalysis, store: Store | None = None) -> str:
    return writer.page(compose(analysis, store))


@cache
def typical_page() -> str:
    """Drawn once: it takes a second and more."""
    return page(analysed())


def words(reader: Reader) -> str:
    return " ".join(" ".join(reader.text).split())


def test_the_page_answers_the_question_ranks_and_explains() -> None:
    said = words(read(typical_page()))
    analysis = analysed()
    assert analysis.question in said
    assert " ".join(analysis.answer.split()) in said
    for title in (
        "What to run next",
        "Ranking",
        "Gain of every variant over the baseline",
        "The ladder towards the reference",
        "Score against cost",
        "Learning curves",
        "Unit by unit",
        "Data efficiency",
        "Patches together",
        "What each variant changes",
        "What to doubt",
        "Models",
        "How to read this report",
        "Provenance",
    ):
        assert title in said, title
    for row in analysis.rows:
        assert row.name in said
        assert row.verdict in said
    assert "tokenizer -4.23 M weights, 36 -> 144 tokens" in said
    assert "bits/spike(unit) =" in said
    assert "diverged: loss was not finite at step 17" in said


def test_the_page_asks_nothing_of_the_outside() -> None:
    text = typical_page()
    reader = read(text)
    assert all(address.startswith(("#", "data:image/png;base64,")) for address in reader.addresses)
    assert "script" not in reader.tags
    assert "http" not in text
    assert "@import" not in text
    assert not re.search(r"url\((?!#)", text)


def test_no_two_elements_share_an_identifier_and_every_reference_is_met() -> None:
    text = typical_page()
    reader = read(text)
    assert len(reader.ids) == len(set(reader.ids))
    wanted = {address[1:] for address in reader.addresses if address.startswith("#")}
    wanted |= set(re.findall(r"url\(#([^)]+)\)", text))
    assert wanted <= set(reader.ids)


HOSTILE = "<script>alert('x')</script>"


def test_names_that_are_markup_are_shown_as_text() -> None:
    base = around(0.4, 0.01)
    planted = Planted(
        {BASELINE: base, HOSTILE: shifted(base, 0.02)},
        entries={
            HOSTILE: {
                "title": HOSTILE,
                "changes": HOSTILE,
                "also_changed": (HOSTILE,),
                "aliases": (HOSTILE + "2",),
                "differences": {HOSTILE: (HOSTILE, "</td>" + HOSTILE)},
                "cost": cost(1, 1).changed(lints=(HOSTILE,)),
            }
        },
        manifest_fields={
            "name": HOSTILE,
            "question": HOSTILE,
            "expectation": HOSTILE,
            "recipe_text": "</pre>" + HOSTILE,
            "recipe_path": HOSTILE,
            "data_description": HOSTILE,
            "environment": {HOSTILE: '"><img src=x>'},
        },
    )
    text = page(analysed(planted))
    reader = read(text)
    assert "script" not in reader.tags
    assert "img" not in reader.tags
    assert words(reader).count(HOSTILE) >= 10


def test_identical_input_gives_identical_bytes() -> None:
    assert page(analysed()) == typical_page()


def test_a_rehearsal_says_so_before_anything_else() -> None:
    said = words(read(page(analysed(rich(manifest_fields={"rehearsal": True})))))
    assert said.index("These numbers are not results") < said.index("Which patch helps?", 60)
    assert "These numbers are not results" not in words(read(typical_page()))


def test_figures_take_their_colours_from_the_page() -> None:
    text = typical_page()
    drawn = "".join(re.findall(r"<svg.*?</svg>", text, flags=re.DOTALL))
    assert "currentColor" in drawn
    assert "var(--c0)" in drawn
    assert "#1c2128" not in drawn
    assert "prefers-color-scheme: dark" in text
    assert "@media print" in text


@pytest.mark.parametrize("metric", ["bits_per_spike", "bits_per_label"])
def test_each_metric_has_its_formula(metric: str) -> None:
    said = words(read(page(analysed(rich(metric=metric, accuracy=0.7)))))
    assert ("prior(label)" in said) == (metric == "bits_per_label")


def test_a_study_that_has_not_begun_still_makes_a_page() -> None:
    said = words(read(page(analysed(Planted({BASELINE: {}, "wide": {}}), loaders=False))))
    assert "no answer yet, for no run of the baseline has ended with a score" in said.lower()


def pictured() -> StudyAnalysis:
    """A study whose baseline has the run that the picture is of."""
    planted = rich()
    planted.key = lambda name, seed: picture().key if (name, seed) == (BASELINE, 0) else f"{name}-{seed}"  # type: ignore[method-assign]
    return analysed(planted, loaders=False)


def test_pictures_of_models_are_shown_where_they_were_collected(tmp_path: Path) -> None:
    store = Store(tmp_path)
    assert "The models as fitted" not in page(pictured(), store)
    write_picture(tmp_path, picture())
    text = page(pictured(), store)
    said = words(read(text))
    assert "The models as fitted" in said
    assert "best: monkey unit 3, 0.410 bits/spike" in said
    assert "<b>monkey" not in text


def test_a_damaged_picture_does_not_spoil_the_page(tmp_path: Path) -> None:
    write_picture(tmp_path, picture()).write_text("{")
    assert "The models as fitted" not in page(pictured(), Store(tmp_path))


def test_the_file_is_written_whole_with_its_folder(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "report.html"
    write_page(compose(analysed()), path)
    assert path.read_text(encoding="utf-8") == typical_page()
    assert list(path.parent.iterdir()) == [path]


def test_a_place_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(AblateError, match="cannot write"):
        write_page(compose(analysed()), tmp_path / "file" / "report.html")


# ------------------------------------------------------------------ text


def test_control_characters_do_not_reach_the_page() -> None:
    base = around(0.4, 0.01)
    planted = Planted({BASELINE: base}, manifest_fields={"question": "a\x1b[31mb & c?"})
    text = page(analysed(planted))
    assert "\x1b" not in text
    assert "a [31mb &amp; c?" in text


def test_an_interval_and_a_figure_with_its_unit_are_never_broken_over_lines() -> None:
    assert writer.unbroken("x +5.0 % [+4.3, +5.8] <b>") == (
        'x <span class="nowrap">+5.0 %</span> <span class="nowrap">[+4.3, +5.8]</span> &lt;b&gt;'
    )


def test_another_cores_stages_stand_where_the_core_stands() -> None:
    orders = (["frontend", "tokenizer", "blocks", "readout"], ["frontend", "stage_1", "stage_2", "readout"])
    assert merged(orders) == ["frontend", "stage_1", "stage_2", "tokenizer", "blocks", "readout"]
