"""What a variant changes, and what else moved."""

from ablate.recipe import read_recipe
from ablate.result.record import ModelCost, Tokens
from ablate.variant import also_changed, changes, differences, lay_out

HEAD = "data: {type: synthetic_v1}\nbaseline: {type: encoder}\nglm: false\npatches:\n  p: "


def changed(fragment: str) -> tuple[dict, str]:
    recipe = read_recipe(HEAD + fragment + "\n", "x.yaml")
    found = differences(recipe.configuration, lay_out(recipe).variants[1].configuration)
    return found, changes(found)


def test_a_difference_is_told_by_its_key_path():
    found, words = changed("{tokenizer: {kernel_size: [8, 4, 4], stride: [8, 4, 4]}, modulator: {hidden_dim: 256}}")
    assert found == {
        "baseline.core.tokenizer.kernel_size": ([8, 8, 8], [8, 4, 4]),
        "baseline.core.tokenizer.stride": ([8, 8, 8], [8, 4, 4]),
        "baseline.modulator.hidden_dim": (192, 256),
    }
    assert words == "tokenizer.kernel_size, stride 8,8,8 -> 8,4,4; +1 more"
    assert len(words) <= 60


def test_another_type_is_told_with_what_is_no_default_of_it():
    found, words = changed("{core: {type: resnet, pool: max}}")
    assert found == {"baseline.core.type": ("vivit", "resnet"), "baseline.core.pool": (None, "max")}
    assert words == "core vivit -> resnet; pool max"


def test_training_and_data_are_told_by_their_own_words():
    assert changed("{training: {steps: 500, compile: true}, data: {fraction: 0.25}}")[1] == (
        "fraction 1 -> 0.25; steps 2000 -> 500; compile false -> true"
    )
    assert changes({}) == "nothing"


def test_a_single_long_change_is_cut():
    words = changes({"data.path": (["a" * 50], ["b" * 50]), "data.window": (1, 2)})
    assert len(words) <= 60
    assert words.endswith("...; +1 more")


def test_what_else_moved_is_told_in_sentences():
    before = ModelCost(
        parts={"tokenizer": 4_592_000, "readout": 1584},
        total_parameters=11_443_939,
        trainable_parameters=11_443_939,
        flops={"core": 830_000_000},
        shapes={},
        tokens=Tokens(time=37, space=(6, 6)),
        receptive_field={"frames": 23, "pixels": 8},
    )
    after = before.model_copy(
        update={
            "parts": {"tokenizer": 361_856, "readout": 1584},
            "flops": {"core": 2_140_000_000},
            "tokens": Tokens(time=37, space=(12, 12)),
            "pixels_never_seen": 0.114,
            "receptive_field": {"frames": 23, "pixels": 4},
        }
    )
    assert also_changed(before, after) == (
        "tokenizer -4.23 M weights",
        "FLOPs x2.6",
        "36 -> 144 tokens in space",
        "pixels never seen 0 -> 11 %",
        "receptive field 8 -> 4 pixels",
    )
    assert also_changed(before, before) == ()


def test_bins_taught_a_step_are_told_where_they_differ():
    cost = ModelCost(
        parts={"core": 10},
        total_parameters=10,
        trainable_parameters=10,
        flops={"core": 5},
        shapes={},
        bins_per_step=256,
    )
    assert also_changed(cost, cost) == ()
    fewer = cost.model_copy(update={"bins_per_step": 32})
    assert also_changed(cost, fewer) == ("supervised bins a step 256 -> 32",)
