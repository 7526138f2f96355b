"""A patch that silently does nothing is refused before training; a real one never is."""

from pathlib import Path

import pytest
import torch

from ablate.contract import Modulator
from ablate.errors import AblateError, Problems
from ablate.recipe import read_recipe
from ablate.variant import Variant, lay_out
from ablate.variant.probe import Probe, real_variants

HEAD = """\
data:
  type: synthetic_v1
  sessions: 1
  units: 3
  frames: 1500
  height: 8
  width: 8
  behaviors: 3
  window: 24
  warmup: 8
  split: {blocks: 1}
  min_spikes: 0
baseline:
  adapter: {grid: 8}
  frontend: {taps: 4, channels: 2}
  core:
    {tokenizer: {kernel_size: [8, 4, 4], stride: [8, 4, 4]}, embedding_dim: 8, num_spatial_blocks: 1,
     num_temporal_blocks: 1, num_heads: 1, head_dim: 8, ff_dim: 8}
  modulator: {hidden_dim: 4, beh_emb_dim: 2}
training: {steps: 200, warmup_steps: 10}
glm: false
patches:
"""


@pytest.fixture(scope="module")
def probe(tmp_path_factory: pytest.TempPathFactory):
    """One probe for all, since opening the data costs more than a comparison."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ABLATE_CACHE", str(tmp_path_factory.mktemp("cache")))
        threads = torch.get_num_threads()
        torch.set_num_threads(1)
        yield Probe()
        torch.set_num_threads(threads)


NOOPS = {
    "a value equal to the default": "p: {core: {dropout: 0.1}}",
    "a default restored that was never changed": "p: {core: {qk_norm: null}}",
    "a window without anti-aliasing": "p: {frontend: {window: hann_dead_ends}}",
    "a width that is inferred": "p: {modulator: {feature_dim: 8}}",
    "behaviour that nobody reads": "p: {data: {behavior: acausal}}",
    "patience that never ends": "p: {training: {patience: 5}}",
    "more checkpoints": "p: {training: {checkpoint_every: 50}}",
    "the end of a schedule that is constant": "p: {training: {final_fraction: 0.5}}",
    "drop path in a core without blocks": "p: {core: {drop_path: 0.5}}",
    "a duplicate patch": "p: {core: {dropout: 0.2}}\n  q: {convnet: {params: {dropout: 0.2}}}",
    "a nested key that loses": "p: {core: {dropout: 0.2}}\n  q: {core: {dropout: 0.3}}\nvariants: [[p, q]]",
    "dropout in a dead branch": "p: {core: {dropout: 0.5}}",
}
BASES = {
    "behaviour that nobody reads": ("  modulator: {hidden_dim: 4, beh_emb_dim: 2}", "  modulator: none"),
    "the end of a schedule that is constant": ("training: {", "training: {schedule: constant, "),
    "drop path in a core without blocks": (
        "num_spatial_blocks: 1,\n     num_temporal_blocks: 1",
        "num_spatial_blocks: 0, num_temporal_blocks: 0",
    ),
    "dropout in a dead branch": (
        "num_spatial_blocks: 1,\n     num_temporal_blocks: 1",
        "num_spatial_blocks: 0, num_temporal_blocks: 0",
    ),
}


def checked(text: str, **options: object) -> tuple[Variant, ...]:
    """The variants of a recipe that do something. Raises AblateError with all that is wrong with the others."""
    problems = Problems()
    variants = real_variants(lay_out(read_recipe(text, "x.yaml")).variants, problems, **options)
    problems.refuse()
    return variants


@pytest.mark.parametrize("name", NOOPS)
def test_a_planted_noop_is_refused_before_training(name, probe):
    head = HEAD.replace(*BASES[name]) if name in BASES else HEAD
    assert name not in BASES or head != HEAD
    with pytest.raises(AblateError, match=r"changes nothing|make the same configuration"):
        checked(f"{head}  {NOOPS[name]}\n", probe=probe)


REAL = [
    "tokenizer: {kernel_size: [8, 2, 2], stride: [8, 2, 2]}",
    "modulator: {hidden_dim: 6, beh_emb_dim: 3}",
    "frontend: {anti_aliasing: true}",
    "core: {embedding_dim: 12, num_spatial_blocks: 2, ff_dim: 16}",
    "core: {spatial_causal: false}",
    "core: {dropout: 0.2}",
    "core: {drop_path: 0.06}",
    "core: {patch_dropout: 0.5}",
    "core: {final_activation: none}",
    "core: {rope: axial}",
    "core: {type: resnet, channels: [4, 4, 4], squeeze_excite: [2, 2]}",
    "modulator: {cell: visioncore}",
    "modulator: none",
    "readout: {l1: 1e-6}",
    "readout: {std_bound: [3.0, 0.4]}",
    "readout: {mean_spread: 0.2}",
    "adapter: {scale: 0.9}",
    "adapter: {learn_blur: false}",
    "training: {weight_decay: 0.1}",
    "training: {steps: 400}",
    "training: {ema: 0}",
    "training: {reseed: 1}",
    "training: {evaluate_every: 20, patience: 5}",
    "data: {fraction: 0.5}",
    "data: {behavior: acausal}",
    "data: {behavior: constant}",
    "data: {time_reversed: true}",
    "data: {min_spikes: 5}",
    "{data: {window: 16}, core: {dropout: 0.1}}",
    "{data: {behavior: none}, modulator: none}",  # the parent's modulator does not fit such data
]


@pytest.mark.parametrize("fragment", REAL)
def test_a_real_patch_is_never_refused(fragment, probe):
    fragment = fragment if fragment.startswith("{") else "{" + fragment + "}"
    text = f"{HEAD}  p: {fragment}\n"
    assert checked(text, probe=probe) == lay_out(read_recipe(text, "x.yaml")).variants


def test_the_refusal_names_the_option_that_nothing_reads(probe):
    with pytest.raises(AblateError) as caught:
        checked(HEAD + "  p: {frontend: {window: hann_periodic}}\n", probe=probe)
    assert str(caught.value) == (
        "error: x.yaml:23: patch `p` changes nothing: parameters, FLOPs, loss and gradient stay the same, "
        "so nothing reads `baseline.frontend.window`\n\n"
        "hint: set the option that switches it on in the same patch, or keep it as an A/A control by `allow_noop: true`"
    )


def test_an_allowed_noop_is_a_control(probe):
    text = HEAD + "  p: {allow_noop: true, frontend: {window: hann_periodic}}\n"
    assert checked(text, probe=probe)[1].role == "control"
    text = text.replace("allow_noop: true, ", "")
    allowed = checked(text, allow_noop=True, probe=probe)
    assert allowed[1].role == "control"


def test_a_dead_section_of_a_real_patch_is_noticed(probe):
    text = HEAD + "  p: {frontend: {window: hann_periodic}, training: {steps: 300}}\n"
    variants, problems = lay_out(read_recipe(text, "x.yaml")).variants, Problems()
    assert real_variants(variants, problems, probe=probe) == variants
    assert [notice.what for notice in problems.notices] == ["`p`: nothing reads `baseline.frontend.window`"]
    assert not problems


def test_a_variant_that_cannot_be_built_is_told_with_its_name(probe):
    text = HEAD + "  p: {tokenizer: {kernel_size: [3, 4, 4], stride: [3, 4, 4]}}\n"
    with pytest.raises(AblateError, match=r"x\.yaml:23: variant `p`: "):
        checked(text, probe=probe)


def test_an_option_of_the_initial_weights_alone_is_real(probe, tmp_path: Path):
    before = read_recipe(HEAD + "  p: {readout: {mean_spread: 0.3}}\n", "x.yaml")
    variant = lay_out(before).variants[1]
    assert probe(variant.parent, variant.configuration).why == "loss or gradient"


class Lost(Modulator):
    """A modulator of the user's own that says no `out`."""

    def __init__(self, *given: object) -> None:
        super().__init__()


class Misled(Modulator):
    """A modulator of the user's own whose forward asks for what is not there."""

    def __init__(self, input: object, behaviors: int) -> None:
        super().__init__()
        self.out = input

    def forward(self, *given: object) -> object:
        raise KeyError("pupil")


OWN = "modulator: {{type: import, target: 'test_probe:{}'}}"


@pytest.fixture
def importable(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.syspath_prepend(Path(__file__).parent)


@pytest.mark.parametrize("part", ["Lost", "Misled"])
def test_a_faulty_part_of_the_baseline_is_told_of_the_baseline_alone(probe, importable, part: str):
    text = HEAD.replace("modulator: {hidden_dim: 4, beh_emb_dim: 2}", OWN.format(part))
    text += "  p: {training: {steps: 300}}\n  q: {core: {ff_dim: 16}}\n"
    with pytest.raises(AblateError, match=f"baseline: .*{part}") as told:
        checked(text, probe=probe)
    assert len(told.value.problems) == 1


def test_a_fault_in_the_forward_pass_of_a_users_part_is_told_with_its_line(probe, importable):
    text = HEAD + f"  p: {{{OWN.format('Misled')}}}\n"
    with pytest.raises(AblateError, match=r"variant `p`: .*KeyError: 'pupil' \(test_probe\.py, line \d+\)"):
        checked(text, probe=probe)
