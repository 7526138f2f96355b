"""A recipe in, its variants out: each once, the baseline first, nothing that does nothing."""

from collections.abc import Callable

import pytest

from ablate.errors import AblateError, Problems
from ablate.recipe import read_recipe
from ablate.variant import Layout, lay_out, survey

HEAD = """\
data: {type: synthetic_v1, sessions: 2}
baseline: {type: encoder}
glm: false
patches:
  p1: {title: finer tokens, expect: [0.03, 0.05], tokenizer: {stride: [8, 4, 4], kernel_size: [8, 4, 4]}}
  p2: {title: wide modulator, modulator: {hidden_dim: 256}}
  p3: {title: tapered, frontend: {anti_aliasing: true}}
"""


def laid_out(tail: str = "", head: str = HEAD) -> Layout:
    return lay_out(read_recipe(head + tail, "x.yaml"))


def names(layout: Layout) -> list[str]:
    return [variant.name for variant in layout.variants]


@pytest.fixture
def told() -> Callable[..., list[str]]:
    def complaints(tail: str, head: str = HEAD) -> list[str]:
        with pytest.raises(AblateError) as caught:
            laid_out(tail, head)
        return [str(problem).removeprefix("error: ") for problem in caught.value.problems]

    return complaints


def test_each_is_the_default_and_the_baseline_comes_first():
    assert names(laid_out()) == ["baseline", "p1", "p2", "p3"]


def test_a_ladder_adds_one_patch_a_rung():
    layout = laid_out("variants: [ladder]\n")
    assert names(layout) == ["baseline", "p1", "p1+p2", "p1+p2+p3"]
    assert layout.ladders == (("p1", "p1+p2", "p1+p2+p3"),)


def test_leave_one_out_and_factorial_share_their_cells():
    layout = laid_out("variants: [each, ladder, leave_one_out]\n")
    assert len(layout.variants) == 3 * 3 - 1
    assert set(names(layout)) == {"baseline", "p1", "p2", "p3", "p1+p2", "p1+p3", "p2+p3", "p1+p2+p3"}
    assert names(laid_out("variants: factorial\n"))[1:] == ["p1", "p2", "p3", "p1+p2", "p1+p3", "p2+p3", "p1+p2+p3"]


def test_expectations_stand_on_patches_rungs_and_lists():
    layout = laid_out(
        "variants:\n  - each\n  - {ladder: [p1, p2, p3], expect: {p1+p2: [0.05, 0.07]}}\n"
        "  - {name: all, patches: [p1, p2, p3], expect: [0.06, 0.08]}\n"
    )
    expected = {variant.name: variant.expect for variant in layout.variants}
    assert expected == {
        "baseline": None,
        "p1": (0.03, 0.05),
        "p2": None,
        "p3": None,
        "p1+p2": (0.05, 0.07),
        "p1+p2+p3": (0.06, 0.08),
    }
    assert layout.variants[-1].aliases == ("all",)
    assert layout.variants[-1].strategies == ("ladder", "list")


def test_another_order_of_the_same_patches_is_another_name():
    layout = laid_out("variants: [[p1, p3], [p3, p1]]\n")
    assert names(layout) == ["baseline", "p1+p3"]
    assert layout.variants[1].aliases == ("p3+p1",)
    alone = laid_out("variants: [p1]\n").variants[1]
    assert layout.variants[1].parent == alone.configuration
    assert alone.parent == layout.variants[0].configuration


def test_references_come_next_and_controls_stand_alone():
    layout = laid_out(
        "  again: {title: nothing, allow_noop: true, core: {embedding_dim: 192}}\n"
        "  reseed: {control: true, training: {reseed: 1}}\n"
        "references: {resnet: {convnet: resnet}}\nvariants: [each, leave_one_out]\n"
    )
    roles = {variant.name: variant.role for variant in layout.variants}
    assert list(roles)[:2] == ["baseline", "resnet"]
    assert roles["resnet"] == "reference"
    assert roles["again"] == roles["reseed"] == "control"
    assert not any("again" in name or "reseed" in name for name in roles if "+" in name)


def test_a_type_replaces_its_part_whole_and_null_restores_the_default():
    head = HEAD.replace("{type: encoder}", "{core: {type: vivit, embedding_dim: 64, dropout: 0.3}}")
    layout = laid_out("  q: {core: {type: resnet, pool: max}}\n  r: {core: {dropout: null}}\n", head)
    by_name = {variant.name: variant.configuration.model.core for variant in layout.variants}
    assert by_name["q"].pool == "max"
    assert by_name["q"].channels == (128, 128, 256)
    assert (by_name["r"].dropout, by_name["r"].embedding_dim) == (0.1, 64)


def test_a_patch_that_changes_nothing_is_refused_with_its_line(told):
    assert told("  p4: {core: {embedding_dim: 192}}\n") == [
        "x.yaml:8: patch `p4` changes nothing: what it sets is so in the baseline already\n\n"
        "hint: correct the patch, or keep it as an A/A control by `allow_noop: true`"
    ]


def test_two_patches_that_do_the_same_are_refused(told):
    assert told("  p4: {modulator: {hidden_dim: 256, beh_emb_dim: 16}}\n") == [
        "x.yaml:8: patches `p2` and `p4` make the same configuration\n\nhint: keep one of the two"
    ]


def test_conflicts_are_refused_unless_their_order_is_stated(told):
    tail = "  p4: {core: {type: resnet}}\n"
    assert told(tail + "variants: [{leave_one_out: [p1, p2, p4]}]\n")[0] == (
        "x.yaml:8: patches `p1` and `p4` of variant `p1+p2+p4` both set `baseline.core.tokenizer.stride`\n\n"
        "hint: write the variant as a list, whose order counts (`[p1, p4]`: `p4` wins), "
        "or give both patches an `order:`"
    )
    finer = "  p4: {tokenizer: {stride: [4, 4, 4]}}\n"
    later = laid_out(finer + "variants: [[p1, p4]]\n").variants[1].configuration.model.core.tokenizer
    assert (later.kernel_size, later.stride) == ((8, 4, 4), (4, 4, 4))
    ordered = "  p4: {order: 8, modulator: {hidden_dim: 128, beh_emb_dim: 32}}\n"
    ordered += "  p5: {order: 9, modulator: {hidden_dim: 64}}\n"
    both = laid_out(ordered + "variants: [{factorial: [p4, p5]}]\n").variants[3].configuration.model.modulator
    assert (both.hidden_dim, both.beh_emb_dim) == (64, 32)


def test_two_patches_that_say_the_same_word_do_not_conflict():
    tail = "  p4: {modulator: {type: convgru, cell: visioncore}}\n  p5: {modulator: {type: convgru, norm: none}}\n"
    assert names(laid_out(tail + "variants: [{factorial: [p4, p5]}]\n")) == ["baseline", "p4", "p5", "p4+p5"]


def test_a_patch_that_another_one_overrides_whole_changes_nothing(told):
    assert told("  p4: {core: {type: resnet}}\nvariants: [[p1, p4]]\n") == [
        "x.yaml:9: patch `p1` changes nothing in variant `p1+p4`: "
        "the other patches replace or already say what it sets\n\n"
        "hint: leave `p1` out of this combination, or correct the patch"
    ]


def test_a_patch_that_no_longer_applies_is_refused(told):
    assert told("  p4: {was: {core: {dropout: 0.2}}, core: {dropout: 0.3}}\nvariants: [p4]\n") == [
        "x.yaml:8: patch `p4` no longer applies: `baseline.core.dropout` was 0.2 when it was written, "
        "and is 0.1 now\n\n"
        "hint: see whether the patch still says what it should, then correct `was`"
    ]
    assert names(laid_out("  p4: {was: 0.1, core: {dropout: 0.3}}\nvariants: [p4]\n")) == ["baseline", "p4"]


def test_what_only_a_combination_breaks_is_told_with_its_variant(told):
    tail = "  a: {training: {steps: 300}}\n  b: {training: {warmup_steps: 400}}\nvariants: [b, [a, b]]\n"
    assert told(tail) == ["x.yaml:9: `training`: warmup_steps 400 leaves nothing of steps 300 (variant `a+b`)"]


def test_an_option_of_a_type_that_is_not_there_is_told_when_the_variant_is_made(told):
    tail = "  wide: {core: {channels: [1, 2, 3]}}\n  net: {core: resnet}\n"
    assert names(laid_out(tail + "variants: [[net, wide]]\n")) == ["baseline", "net+wide"]
    assert told(tail + "variants: [wide]\n") == [
        "x.yaml:8: unknown key `patches.wide.core.channels`: type vivit has no `channels`\n\n"
        "hint: types that have it: resnet, hybrid_cnn_transformer"
    ]


def test_names_and_expectations_that_fit_nothing_are_told(told):
    assert told("variants: [{ladder: [p1, p2], expect: {p1+p9: [0, 0.1]}}]\n") == [
        "x.yaml:8: `variants[1].expect` names `p1+p9`, which is no variant\n\nhint: did you mean `p1+p2`?"
    ]
    assert told("variants: [{name: p3, patches: [p1, p2]}, p3]\n") == [
        "x.yaml:7: two variants with different configurations are called `p3`\n\nhint: give one of them another `name:`"
    ]
    assert told("variants: [each, {name: one, patches: [p1], expect: [0, 0.1]}]\n") == [
        "x.yaml:8: two different gains are expected of variant `p1`: [0.03, 0.05] and [0, 0.1]\n\n"
        "hint: state `expect` in one place"
    ]


def test_a_patch_that_no_variant_uses_is_noticed():
    problems = Problems()
    survey(read_recipe(HEAD + "variants: [p1]\n", "x.yaml"), problems)
    assert [notice.what for notice in problems.notices] == [
        "patch `p2` is in no variant",
        "patch `p3` is in no variant",
    ]


def test_a_factorial_of_many_patches_is_refused(told):
    many = "".join(f"  q{i}: {{core: {{embedding_dim: {200 + i}}}}}\n" for i in range(9))
    assert told(many + "variants: factorial\n")[0].startswith(
        "x.yaml:17: a factorial of 12 patches makes 4096 variants"
    )


def test_a_reference_that_is_the_baseline_is_refused(told):
    assert told("references: {same: {core: {embedding_dim: 192}}}\n")[0].startswith(
        "x.yaml:8: reference `same` has the same configuration as `baseline`"
    )


def test_a_survey_keeps_the_sound_variants_beside_the_problems_of_the_others():
    recipe = read_recipe(f"{HEAD}  idle: {{core: {{dropout: 0.1}}}}\n", "x.yaml")
    problems = Problems()
    assert names(survey(recipe, problems)) == ["baseline", "p1", "p2", "p3"]
    assert [problem.what.split(":")[0] for problem in problems.found] == ["patch `idle` changes nothing"]
    with pytest.raises(AblateError) as caught:
        lay_out(recipe)
    assert caught.value.problems == problems.found


def test_a_variant_with_fewer_bins_a_window_is_given_more_windows():
    """`audit`'s one_token was once taught 32 bins a step against the baseline's 256."""
    fewer = "patches: {one: {data: {window: 25, warmup: 24, guard: 96}}, two: {data: {window: 72, guard: 96}}}\n"
    head = HEAD.split("patches:")[0].replace("sessions: 2", "sessions: 2, window: 96, warmup: 32, guard: 96") + fewer
    taught = {v.name: v.configuration for v in laid_out("training: {batch_size: 32, accumulate: 2}\n", head).variants}
    assert taught["baseline"].bins_per_step == 32 * 8
    assert taught["one"].bins_per_step == 256
    assert taught["one"].training.batch_size == 256
    assert taught["two"].training.batch_size == 52  # 256 / 5, rounded up to whole micro-batches
    assert taught["two"].bins_per_step == 260


def test_a_patch_that_sets_the_batch_itself_keeps_it():
    patch = "patches: {one: {data: {window: 32}, training: {batch_size: 8}}}\n"
    assert laid_out("", HEAD.split("patches:")[0] + patch).variants[1].configuration.training.batch_size == 8
