"""`--set key=value`: the same words, the same checks, and the same help."""

import pytest

from ablate.recipe import read_recipe


@pytest.mark.parametrize(
    ("override", "read"),
    [
        ("training.steps=500", lambda recipe: recipe.training.steps == 500),
        ("baseline.core.embedding_dim=64", lambda recipe: recipe.baseline.core.embedding_dim == 64),
        ("model.convnet.embedding_dim=64", lambda recipe: recipe.baseline.core.embedding_dim == 64),
        ("tokenizer.stride=[8, 4, 4]", lambda recipe: recipe.baseline.core.tokenizer.stride == (8, 4, 4)),
        ("modulator=none", lambda recipe: recipe.baseline.modulator.type == "none"),
        ("core={type: resnet, pool: max}", lambda recipe: recipe.baseline.core.pool == "max"),
        ("modulator.hidden_dim=null", lambda recipe: recipe.baseline.modulator.hidden_dim == 192),
        ("seeds=[7]", lambda recipe: recipe.seeds == (7,)),
        ("glm=false", lambda recipe: list(recipe.references) == ["resnet"]),
        ("name=other", lambda recipe: recipe.name == "other"),
        ("variants=factorial", lambda recipe: recipe.variants[0].strategy == "factorial"),
        ("patches.p2.modulator.hidden_dim=128", lambda recipe: "128" in str(recipe.patches["p2"].fragment)),
    ],
)
def test_an_override_is_read_like_the_recipe(good, override, read):
    if override.startswith("patches.p2"):
        good = good.replace("      params: {hidden_dim: 256, beh_emb_dim: 32}", "      beh_emb_dim: 32")
    assert read(read_recipe(good, "x.yaml", [override]))


def test_overrides_apply_in_order_and_patches_see_them(good):
    recipe = read_recipe(good, "x.yaml", ["core=resnet", "core=hybrid_cnn_transformer", "core.ff_dim=64"])
    assert recipe.baseline.core.type == "hybrid_cnn_transformer"
    assert recipe.baseline.core.ff_dim == 64


def test_wrong_overrides_are_told_all_at_once(good, complaints):
    sets = ["training.stps=5", "core.embdding_dim=6", "training.steps=many", "x", "data.sessions=[", "foo=1"]
    told = [text.split("\n\nhint: ") for text in complaints(good, sets)]
    assert told == [
        [
            "error: --set: unknown key `foo`",
            "known here: name, question, expectation, cost, data, metric, baseline, training, patches, references, "
            "variants, seeds, looked_at, glm, controls, analysis, retune, execution, log, model, adapter, frontend, "
            "core, modulator, readout, history, init, convnet, tokenizer",
        ],
        ["error: --set: unknown key `training.stps`", "did you mean `steps`?"],
        ["error: --set: unknown key `core.embdding_dim`", "did you mean `embedding_dim`?"],
        ["error: --set: `x` is no `key=value`", "write `--set training.steps=100`"],
        [
            "error: --set: the value of `data.sessions`: this is not YAML: while parsing a flow node expected the node "
            "content, but found '<stream end>'",
            "YAML indents by spaces and writes `key: value` with a space after the colon",
        ],
        ["error: --set: `training.steps` is the text `many`, expected a whole number of at least 1"],
    ]
