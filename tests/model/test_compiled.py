"""How many graphs a compiled model is, whatever sessions its batches hold and however small the last batch is."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from ablate.model.compiled import CompiledRows, filled_up

HERE = Path(__file__).parent


def graph_counts(*names: str) -> dict[str, dict[str, float]]:
    """In a process of its own: the runtime shape check cannot itself be compiled."""
    environment = {**os.environ, "PYTHONPATH": str(HERE.parents[1]), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, str(HERE / "graph_counts.py"), *names]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def test_25_session_sets_and_a_smaller_last_batch_are_two_graphs_where_a_graph_a_session_would_be_more():
    found = graph_counts("encoder", "planted", "recomputed")
    assert found["encoder"]["graphs"] == 2  # training and evaluation
    assert found["encoder"]["difference"] < 1e-6
    assert found["recomputed"]["graphs"] == 2  # with activation checkpointing
    assert found["planted"]["graphs"] > 2  # compiled as a whole, three sets of sessions, training alone


@pytest.mark.slow
def test_every_other_core_is_two_graphs_too():
    found = graph_counts("resnet", "hybrid", "frame_vit")
    assert {name: one["graphs"] for name, one in found.items()} == {"resnet": 2, "hybrid": 2, "frame_vit": 2}
    assert max(one["difference"] for one in found.values()) < 1e-5


@pytest.mark.slow
@pytest.mark.parametrize("name", ["features", "pixels"])
def test_a_fusion_model_is_two_graphs_and_its_frame_encoder_two(name):
    """It was 12: a GRU ended each graph, and the count of encoded images was a constant of another."""
    found = graph_counts(name)[name]
    assert found["graphs"] == 4
    assert found["difference"] < 1e-5


def test_rows_are_filled_up_in_evaluation_only_and_what_the_copies_gave_is_dropped():
    seen = []

    def doubled(x, y, *, by):
        seen.append((len(x), None if y is None else len(y)))
        return by * x

    rows = CompiledRows(doubled, backend="eager", disable=True)
    with torch.no_grad():
        rows(torch.zeros(4, 2), None, by=2)
        out = rows(torch.arange(6.0).view(3, 2), torch.zeros(3), by=2)
    rows(torch.zeros(3, 2), None, by=2)
    assert seen == [(4, None), (4, 4), (3, None)]
    assert out.tolist() == [[0, 2], [4, 6], [8, 10]]


def test_filling_up_repeats_the_last_row():
    assert filled_up(torch.tensor([[1.0], [2.0]]), 4).tolist() == [[1], [2], [2], [2]]
