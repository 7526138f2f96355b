"""A fusion model in the shared loop: its history tells its gates, and poisoned pads change no bit of a run."""

import torch

from ablate.data.coincidence import CoincidenceConfig
from ablate.model.fusion.model import FusionConfig
from ablate.training import TrainingConfig, evaluate, fit

CPU = torch.device("cpu")


def run(**data: object) -> tuple[list[dict[str, object]], float]:
    torch.manual_seed(0)
    small = {"train_trials": 40, "validation_trials": 10, "test_trials": 10, **data}
    dataset = CoincidenceConfig.model_validate(small).open(CPU)
    fusion = {"type": "gated_cross_attention", "gate_init": 0.5}
    model = FusionConfig.model_validate({"embedding_dim": 8, "fusion": fusion}).build(dataset.spec)
    config = TrainingConfig(steps=6, batch_size=8, warmup_steps=2, evaluate_every=3, ema=0.5)
    result = fit(model, dataset, config, seed=0, device=CPU)
    score, _ = evaluate(result.model, dataset, "test", batch_size=4, device=CPU)
    assert result.state == "done"
    return result.history, score.headline


def test_the_history_tells_how_far_the_gates_opened() -> None:
    rows = [row for row in run()[0] if "validation" in row]
    assert len(rows) >= 2
    for row in rows:
        assert set(row["gates"]) == {"tanh_a_0", "tanh_g_0"}  # type: ignore[call-overload]
    assert rows[0]["gates"] != rows[-1]["gates"]


def test_poisoned_pads_and_the_padding_trap_change_no_bit_of_a_run() -> None:
    plain = run()
    assert run(poison_pads=True) == plain
    assert run(padding_trap=True) == plain


def test_shuffled_pairs_are_another_run() -> None:
    assert run(shuffle_pairs=True)[1] != run()[1]
