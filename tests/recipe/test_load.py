"""A recipe in, a Recipe out; every problem at once, with its place and the next move."""

from ablate.model import EncoderConfig, GlmConfig
from ablate.recipe import read_recipe


def test_the_seeds_spelling_is_read_like_the_flat_form(good):
    recipe = read_recipe(good, "recipes/x.yaml")
    assert isinstance(recipe.baseline, EncoderConfig)
    assert recipe.baseline.core.tokenizer.kernel_size == (8, 8, 8)
    assert recipe.baseline.modulator.beh_emb_dim == 16
    assert recipe.baseline.frontend.taps == 16
    assert recipe.training.steps == 1000
    assert recipe.seeds == (0, 1, 2)
    flat = good.replace("params: {hidden_dim: 192, beh_emb_dim: 16}", "hidden_dim: 192, beh_emb_dim: 16")
    assert flat != good
    assert read_recipe(flat, "recipes/x.yaml").configuration == recipe.configuration


def test_short_words_dots_and_sections_say_the_same_patch():
    base = "data: {type: synthetic_v1}\nbaseline: {type: encoder}\npatches:\n  p:\n"
    spellings = (
        "    tokenizer: {stride: [8, 4, 4]}\n",
        "    tokenizer.stride: [8, 4, 4]\n",
        "    core: {tokenizer: {stride: [8, 4, 4]}}\n",
        "    convnet: {params: {tokenizer: {stride: [8, 4, 4]}}}\n",
        "    model: {core.tokenizer.stride: [8, 4, 4]}\n",
        "    baseline: {convnet: {tokenizer: {stride: [8, 4, 4]}}}\n",
        "    baseline.core.tokenizer.stride: [8, 4, 4]\n",
    )
    for spelling in spellings:
        fragment = read_recipe(base + spelling, "x.yaml").patches["p"].fragment
        assert fragment == {"model": {"core": {"tokenizer": {"stride": [8, 4, 4]}}}}, spelling


def test_a_part_may_be_named_by_one_word_and_keeps_its_default_type():
    text = "data: {type: synthetic_v1}\nbaseline:\n  modulator: none\n  core: {embedding_dim: 64}\n"
    baseline = read_recipe(text, "x.yaml").baseline
    assert baseline.modulator.type == "none"
    assert baseline.core.type == "vivit"
    assert baseline.core.embedding_dim == 64


def test_a_users_own_part_keeps_its_params():
    text = (
        "data: {type: synthetic_v1}\n"
        "baseline: {core: {type: import, target: 'mine.parts:Core', params: {width: 3, deep: {x: null}}}}\n"
    )
    core = read_recipe(text, "x.yaml").baseline.core
    assert core.params == {"width": 3, "deep": {"x": None}}


def test_a_patch_onto_a_users_own_part_changes_its_params():
    text = (
        "data: {type: synthetic_v1}\n"
        "baseline: {core: {type: import, target: 'mine.parts:Core', params: {width: 3}}}\n"
        "patches: {wide: {core: {params: {width: 5}}}}\n"
    )
    assert read_recipe(text, "x.yaml").patches["wide"].fragment == {"model": {"core": {"params": {"width": 5}}}}


def test_every_encoder_study_gets_a_glm_unless_it_says_otherwise(good):
    recipe = read_recipe(good, "x.yaml")
    assert list(recipe.references) == ["resnet", "glm"]
    assert recipe.references["glm"].fragment == {"model": {"type": "glm"}}
    assert list(read_recipe(good + "glm: false\n", "x.yaml").references) == ["resnet"]
    own = good.replace("references:\n", "references:\n  glm: {model: {type: glm, lags: 10}}\n")
    assert read_recipe(own, "x.yaml").references["glm"].fragment["model"]["lags"] == 10
    glm = read_recipe("data: {type: synthetic_v1}\nbaseline: {type: glm}\n", "x.yaml")
    assert isinstance(glm.baseline, GlmConfig)
    assert not glm.references


def test_without_variants_each_patch_is_one(good):
    recipe = read_recipe(good.replace("variants: [each, ladder]\n", ""), "x.yaml")
    assert [selection.strategy for selection in recipe.variants] == ["each"]


def test_the_name_defaults_to_that_of_the_file(good):
    assert read_recipe(good.replace("name: fixes\n", ""), "recipes/quick.yaml").name == "quick"


def test_a_misspelt_key_is_told_with_its_line_and_the_nearest_name(good, complaints):
    bad = good.replace("hidden_dim: 192", "hiden_dim: 192")
    assert complaints(bad) == [
        "error: recipes/x.yaml:13: unknown key `baseline.modulator.params.hiden_dim`\n\n"
        "hint: did you mean `hidden_dim`?"
    ]


def test_all_problems_are_told_at_once_unknown_keys_first(complaints):
    bad = """\
qestion: hi
data: {type: synthetic_v1, sessions: two, frames: 2000.5}
baseline:
  frontend: {type: learnable_tmporal}
  core: {type: vivit, tokenizer: {kernel_size: [8, 8]}, embedding_dim: "192", final_activation: soft, ff_dim: 0}
  modulator: {hiden_dim: 192}
  readout: [1]
training: {steps: 50, compile: off}
patches:
  each: {dropout: 0.2}
  p1: {expect: 3, tokenizer: {kernal: [8, 4, 4]}}
  p2: {modulator: {hidden_dim: big}}
  p3: 4
variants: [eech, [p1, p9], {ladr: 3}, 7]
seeds: 3
glm: no
"""
    assert [text.removeprefix("error: recipes/x.yaml:") for text in complaints(bad)] == [
        "1: unknown key `qestion`\n\nhint: did you mean `question`?",
        "4: `baseline.frontend.type` is `learnable_tmporal`, which is no type of frontend\n\n"
        "hint: did you mean `learnable_temporal`? (known types: learnable_temporal, blur, none, import)",
        "6: unknown key `baseline.modulator.hiden_dim`\n\nhint: did you mean `hidden_dim`?",
        "10: unknown key `patches.each.dropout`\n\n"
        "hint: known here: title, description, expect, expect_cost, was, order, allow_noop, control, data, baseline, "
        "model, training, adapter, frontend, core, modulator, readout, history, init, convnet, tokenizer",
        "11: unknown key `patches.p1.tokenizer.kernal`\n\nhint: known here: kernel_size, stride",
        "14: unknown key `variants[3].ladr`\n\nhint: did you mean `ladder`?",
        "2: `data.sessions` is the text `two`, expected a whole number of at least 1 and at most 10000",
        "2: `data.frames` is 2000.5, expected a whole number of at least 100 and at most 100000000",
        "5: `baseline.core.embedding_dim` is the text `192`, "
        "expected a whole number of at least 1 and at most 16384\n\n"
        "hint: leave the quotation marks out",
        "5: `baseline.core.ff_dim` is 0, expected a whole number of at least 1 and at most 16384",
        "5: `baseline.core.final_activation` is the text `soft`, expected one of softplus, relu, gelu, none\n\n"
        "hint: did you mean `softplus`?",
        "5: `baseline.core.tokenizer.kernel_size` is [8, 8], expected a list of 3 whole numbers",
        "7: `baseline.readout` is [1], expected a mapping with a `type`",
        "8: `training.compile` is the text `off`, expected one of auto, max or true or false\n\n"
        "hint: write true or false: `on`, `off`, `yes`, `no` are plain text in YAML 1.2",
        "10: the patch name `each` is taken\n\nhint: give the patch another name",
        "11: `patches.p1.expect` is 3, expected a list of 2 numbers\n\n"
        "hint: a relative gain from low to high: `[0.03, 0.05]` is +3 to +5 %",
        "13: `patches.p3` is 4, expected a mapping\n\nhint: a patch holds what it changes, in the shape of the recipe",
        "12: `patches.p2.modulator.hidden_dim` is the text `big`, "
        "expected a whole number of at least 1 and at most 16384",
        "14: `variants[1]` names `eech`, which is no patch\n\nhint: did you mean `each`?",
        "14: `variants[2]` names `p9`, which is no patch\n\nhint: patches: each, p1, p2, p3",
        "14: `variants[3]` names no strategy and no patches\n\n"
        "hint: write `{patches: [p1, p2]}` or one strategy: `{ladder: [p1, p2]}`",
        "14: `variants[4]` is 7, expected a strategy, a list of patches, or a mapping\n\n"
        "hint: strategies: each, ladder, leave_one_out, factorial",
        "15: `seeds` is 3, expected a list of whole numbers\n\nhint: for 3 seeds write `seeds: [0, 1, 2]`",
        "16: `glm` is the text `no`, expected true or false",
    ]


def test_a_fault_of_the_yaml_is_told_beside_those_of_what_it_says(complaints):
    bad = "data: {type: synthetic_v1, sesions: 2}\nbaseline: !mine {type: glm}\nseeds: [0]\nseeds: 3\n"
    assert [text.split("\n")[0].removeprefix("error: recipes/x.yaml:") for text in complaints(bad)] == [
        "1: unknown key `data.sesions`",
        "2: the tag `!mine` is not read",
        "4: `seeds` is written twice (first on line 3)",
    ]


def test_an_option_of_another_type_is_told_with_the_types_that_have_it(good, complaints):
    bad = good.replace("embedding_dim: 192", "channels: [1, 2, 3]")
    assert complaints(bad) == [
        "error: recipes/x.yaml:12: unknown key `baseline.convnet.params.channels`: type vivit has no `channels`\n\n"
        "hint: types that have it: resnet, hybrid_cnn_transformer"
    ]


def test_an_option_at_the_wrong_level_is_told_its_place(good, complaints):
    bad = good.replace("    expect: [0.03, 0.05]\n", "    embedding_dim: 256\n")
    assert complaints(bad) == [
        "error: recipes/x.yaml:18: unknown key `patches.p1.embedding_dim`\n\nhint: did you mean `core.embedding_dim`?"
    ]


def test_missing_sections_are_told(complaints):
    told = complaints("name: x\n")
    assert [text.split("\n")[0] for text in told] == [
        "error: recipes/x.yaml: `data` is missing",
        "error: recipes/x.yaml: `baseline` is missing",
    ]


def test_a_part_without_a_type_names_the_known_ones(complaints):
    told = complaints("data: {sessions: 2}\nbaseline: {}\n")
    assert len(told) == 1
    assert told[0].startswith(
        "error: recipes/x.yaml:1: `data.type` is missing\n\nhint: known types: synthetic_v1, recordings"
    )


def test_what_two_options_rule_out_together_is_told_at_their_part(good, complaints):
    bad = good.replace("steps: 1e3", "steps: 10, warmup_steps: 20")
    assert complaints(bad) == ["error: recipes/x.yaml:14: `training`: warmup_steps 20 leaves nothing of steps 10"]


def test_the_same_option_in_two_spellings_is_refused(good, complaints):
    bad = good.replace("params: {taps: 16,", "taps: 8\n    params: {taps: 16,")
    assert complaints(bad) == [
        "error: recipes/x.yaml:8: `baseline.frontend.params.taps` and `baseline.frontend.taps` say the same thing\n\n"
        "hint: keep one of the two"
    ]


def test_true_is_no_number_and_infinity_is_none(good, complaints):
    bad = good.replace("embedding_dim: 192", "embedding_dim: true").replace("1e-3", ".inf")
    assert complaints(bad) == [
        "error: recipes/x.yaml:12: `baseline.convnet.params.embedding_dim` is true, "
        "expected a whole number of at least 1 and at most 16384",
        "error: recipes/x.yaml:14: `training.learning_rate` is inf, expected a number of more than 0",
    ]


def test_percent_for_a_gain_is_noticed(good):
    notices = read_recipe(good.replace("[0.03, 0.05]", "[3, 5]"), "x.yaml").notices
    assert [str(notice) for notice in notices] == [
        "error: x.yaml:18: `patches.p1.expect` expects a change of 500 %\n\nhint: gains are relative: 0.03 is 3 %"
    ]


def test_a_fragment_keeps_the_lines_of_its_keys(good):
    tree = read_recipe(good, "x.yaml").patches["p1"].tree
    assert tree.get("model").get("core").get("tokenizer").get("stride").where == "x.yaml:21"
