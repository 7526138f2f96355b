"""`metric:` in a recipe: one score for every variant, refused where the data cannot be scored by it."""

import pytest

from ablate.recipe import read_recipe
from ablate.study.setup.manifest import identity_of
from ablate.variant import lay_out

SPIKES = "data: {type: synthetic_v1}\nbaseline: {core: {type: vivit}}\nglm: false\n"
LABELS = "data: {type: coincidence}\nbaseline: {type: fusion, embedding_dim: 8}\ncontrols: false\n"
CHOICES = "these data hold spikes, which are scored by bits_per_spike or correlation or poisson_deviance or fev"


@pytest.mark.parametrize(("head", "metric"), [(SPIKES, "bits_per_spike"), (LABELS, "bits_per_label")])
def test_without_one_the_datas_own_is_taken_and_writing_it_changes_no_run(head: str, metric: str):
    plain, written = (read_recipe(head + more, "x.yaml").configuration for more in ("", f"metric: {metric}\n"))
    assert plain == written
    assert plain.data.metric == metric
    assert "metric" not in identity_of(plain)["data"]


def test_every_variant_is_scored_by_it_also_on_other_data():
    patches = (
        "metric: correlation\npatches:\n  p: {core: {dropout: 0.2}}\n  q: {data: {type: recordings, path: here}}\n"
    )
    variants = lay_out(read_recipe(SPIKES + patches, "x.yaml")).variants
    assert [(variant.configuration.data.type, variant.configuration.data.metric) for variant in variants] == [
        ("synthetic_v1", "correlation"),
        ("synthetic_v1", "correlation"),
        ("recordings", "correlation"),
    ]


def test_an_override_chooses_it_and_other_data_keep_it():
    sets = ["metric=correlation", "data.type=recordings", "data.path=here"]
    data = read_recipe(SPIKES, "x.yaml", sets).configuration.data
    assert (data.type, data.metric) == ("recordings", "correlation")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("metric: bits_per_label\n", f"x.yaml:4: `metric`: metric bits_per_label scores labels; {CHOICES}"),
        (
            "metric: corelation\n",
            f"x.yaml:4: `metric`: no metric is called corelation (did you mean correlation?); {CHOICES}",
        ),
        ("metric: r2\n", f"x.yaml:4: `metric`: no metric is called r2; {CHOICES}"),
        ("metric: 3\n", "x.yaml:4: `metric` is 3, expected text"),
    ],
)
def test_one_that_the_data_do_not_allow_is_refused_with_those_that_they_do(complaints, text: str, told: str):
    assert [line.removeprefix("error: recipes/") for line in complaints(SPIKES + text)] == [told]


@pytest.mark.parametrize(
    ("text", "sets", "where"),
    [
        (
            SPIKES.replace("synthetic_v1", "synthetic_v1, metric: correlation"),
            [],
            "x.yaml:1: unknown key `data.metric`",
        ),
        (
            SPIKES + "patches:\n  p: {data: {metric: correlation}}\n",
            [],
            "x.yaml:5: unknown key `patches.p.data.metric`",
        ),
        (SPIKES, ["data.metric=correlation"], "--set: unknown key `data.metric`"),
    ],
)
def test_inside_the_data_it_is_refused_with_its_place(complaints, text: str, sets: list[str], where: str):
    hint = "\n\nhint: write `metric:` beside `data:`; it holds for every variant"
    assert [line.replace("recipes/", "") for line in complaints(text, sets)] == [f"error: {where}{hint}"]
