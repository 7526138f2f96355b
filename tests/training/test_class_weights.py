"""Class weights: in the loss as torch weighs it, in the score not at all, refused where there are no such classes."""

from dataclasses import replace

import pytest
import torch
from torch.nn import functional
from training_toys import ToyBatch, fusion_spec, rates_spec

from ablate.contract import Target, TargetSpec
from ablate.errors import AblateError
from ablate.training import TrainingConfig
from ablate.training.class_weights import class_weights
from ablate.training.loss import summed_loss

PRIOR = (0.64, 0.16, 0.2, 0.0)
SPEC = replace(fusion_spec(PRIOR), class_names=("neutral", "happy", "sad", "never"))
CPU = torch.device("cpu")


def weights(asked):
    return class_weights(TrainingConfig(class_weights=asked), SPEC, CPU)


def test_balanced_weights_give_every_class_that_is_there_the_same_share():
    found = weights("balanced")
    shares = torch.tensor(PRIOR) * found
    assert shares[:3].tolist() == pytest.approx([1 / 3] * 3)
    assert torch.isfinite(found).all()


def test_weights_by_name_keep_their_ratios_and_the_size_of_the_step():
    found = weights({"happy": 4.0, "sad": 2.0})
    assert (found / found[0]).tolist()[:3] == pytest.approx([1, 4, 2])
    assert float((torch.tensor(PRIOR) * found).sum()) == pytest.approx(1)
    assert weights(None) is None


def test_the_weighted_loss_is_torchs_and_leaves_missing_labels_out():
    generator = torch.Generator().manual_seed(0)
    logits, labels = torch.randn(20, 1, 4, generator=generator), torch.randint(3, (20, 1), generator=generator)
    valid = torch.rand(20, 1, generator=generator) > 0.3
    found = weights("balanced")
    batch = ToyBatch((torch.zeros(20, 1),), (Target(0, labels, valid),))
    known = functional.cross_entropy(logits[valid], labels[valid], weight=found, reduction="sum")
    torch.testing.assert_close(summed_loss((logits,), batch, "labels", None, found), known)


def test_what_cannot_be_weighed_is_refused():
    with pytest.raises(AblateError, match="no class is called joy") as raised:
        weights({"joy": 2.0})
    assert raised.value.problems[0].hint == "the classes are neutral, happy, sad, never"
    balanced = TrainingConfig(class_weights="balanced")
    for other in (rates_spec((1.0,)), replace(SPEC, classes=0, class_prior=(), targets=(TargetSpec("valence"),))):
        with pytest.raises(AblateError, match="hold no classes to weigh"):
            class_weights(balanced, other, CPU)
    with pytest.raises(ValueError, match="greater than 0"):
        TrainingConfig(class_weights={"happy": 0.0})


def test_weights_by_name_have_one_hash_in_any_order():
    """Born of a fault: what a patch changes is remembered by its training options, and a mapping has no hash."""
    one, two = (
        TrainingConfig(class_weights=dict(order)) for order in ((("a", 1.0), ("b", 2.0)), (("b", 2.0), ("a", 1.0)))
    )
    assert (one, hash(one)) == (two, hash(two))
