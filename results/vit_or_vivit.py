"""Writes results/vit_vs_vivit/claims.md: the notes' claims on ViT per frame and ViViT, each answered with numbers.

Reads the trained runs of the study (they stay on the machine that trained them) and asks their models further: what an
interval's answer owes to other intervals' frames, what a clip costs in CPU time, and how cost grows with the clip.
"""

import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import mean, median
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_model
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from ablate.analysis.words import count, memory
from ablate.contract import FusionBatch, FusionSpec
from ablate.model import FusionConfig
from ablate.model.isolation import isolation
from ablate.recipe import Configuration
from ablate.result import RunRecord, Store
from ablate.study.train import build_model, open_data

STUDY = Path(__file__).resolve().parent / "vit_vs_vivit"
MIXERS = {"baseline": "gru", "s4d": "s4d", "mamba": "mamba"}
RIVALS = ("baseline", "vivit", "vivit_joint")
LONGER = 4  # times as many intervals
CPU = torch.device("cpu")
CLIPS, BATCH, TIMED = 600, 100, 3

FULL_SIZE: dict[str, dict[str, Any]] = {
    "CLIP-ViT-B/16 per frame": {"type": "timm", "weights": "random"},
    "ViViT-B, space then time": {
        "type": "vivit_factorised", "patch_size": 16, "width": 768, "heads": 12,
        "spatial_depth": 12, "temporal_depth": 4,
    },
    "ViViT-B, space and time at once": {
        "type": "vivit_joint", "patch_size": 16, "width": 768, "depth": 12, "heads": 12,
    },
}  # fmt: skip
"""Encoders of the papers' size on the notes' clip, (5, 16, 3, 224, 224)."""


@dataclass(frozen=True)
class Trained:
    """One run: its record, its model with the kept weights, and its data."""

    record: RunRecord
    model: Any
    data: Any

    @property
    def configuration(self) -> Configuration:
        return Configuration.model_validate(self.record.config)


def runs(store: Store, name: str) -> list[Trained]:
    """The finished runs of a variant, by seed."""
    found = sorted((r for r in store.records() if r.variant == name and r.state == "done"), key=lambda r: r.seed)
    return [trained(store, record) for record in found]


def trained(store: Store, record: RunRecord) -> Trained:
    configuration = Configuration.model_validate(record.config)
    data: Any = open_data(configuration, CPU)
    model = build_model(configuration, data, record.seed, CPU).eval()
    load_model(model, str(store.weights(record.key)))
    return Trained(record, model, data)


# ------------------------------------------------------------------ measurements


def batches(data: Any) -> Iterator[FusionBatch]:
    return (data.batch("test", rows) for rows in np.array_split(np.arange(CLIPS), CLIPS // BATCH))


@torch.no_grad()
def moved_by_others(run: Trained) -> float:
    """Share of answers that change when all other intervals show another trial's frames."""
    changed, total = 0, 0
    for batch in batches(run.data):
        before = answers(run.model, batch)
        for interval in range(before.shape[1]):
            after = answers(run.model, with_others_film(batch, interval))
            changed += int((before[:, interval] != after[:, interval]).sum())
            total += len(before)
    return changed / total


def with_others_film(batch: FusionBatch, kept: int) -> FusionBatch:
    """The batch with the next trial's frames in every interval but one."""

    def mixed(own: torch.Tensor) -> torch.Tensor:
        other = own.roll(1, dims=0)
        other[:, kept] = own[:, kept]
        return other

    keys = None if batch.frame_keys is None else mixed(batch.frame_keys)
    return replace(batch, frames=mixed(batch.frames), frame_mask=mixed(batch.frame_mask), frame_keys=keys)


def answers(model: Any, batch: FusionBatch) -> torch.Tensor:
    return torch.cat(model(batch)).argmax(dim=-1)


def leak(run: Trained) -> float:
    """The largest entry off the diagonal of the trained model's isolation matrix; each row's own largest is 1."""
    matrix = isolation(run.model.media, run.data.spec)
    assert matrix is not None
    return float(matrix.masked_fill(torch.eye(len(matrix), dtype=torch.bool), 0.0).max())


def milliseconds(run: Trained) -> float:
    """CPU time of one clip forward and backward, on one thread: the middle of a few batches."""
    batch = run.data.batch("train", np.arange(64))
    run.model.train()
    taken = []
    for _ in range(TIMED + 1):
        started = time.process_time()
        torch.cat(run.model(batch)).sum().backward()
        taken.append(1000 * (time.process_time() - started) / 64)
    run.model.eval()
    return median(taken[1:])


def video_flops(config: Any, spec: FusionSpec, times: int = 1, *, cached: bool = False) -> int:
    """Of the video side of a model, for a clip of so many times the intervals. cached: without the frame encoder."""
    spec = replace(spec, intervals=times * spec.intervals, eeg_samples=times * spec.eeg_samples)
    with torch.device("meta"):
        model = config.build(spec)
        batch = model.example_batch(spec)
        encoded = model.media.video(batch.frames, batch.frame_mask, None)
        with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
            if cached:
                model.media.from_tokens(encoded, batch.frame_mask)
            else:
                model.media(batch)
    return int(counter.get_total_flops())


# ------------------------------------------------------------------ the page


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|---" + "|---:" * (len(head) - 1) + "|"]
    return "\n".join([*lines, *("| " + " | ".join(row) + " |" for row in rows)]) + "\n"


def spread(values: list[float], places: int = 3) -> str:
    """Mean over seeds, and the seeds' range."""
    return f"{mean(values):.{places}f} ({min(values):.{places}f} to {max(values):.{places}f})"


def side_by_side(store: Store, names: list[str]) -> str:
    alone = mean(r.record.usage.peak_memory_bytes for r in runs(store, "eeg_alone") if r.record.usage)
    rows = []
    for name in names:
        found = runs(store, name)
        if not found:
            continue
        cost, usage = found[0].record.cost, [r.record.usage for r in found if r.record.usage]
        scores = [r.record.test for r in found if r.record.test]
        assert cost is not None
        cached = cost.total_flops - (cost.flops["video"] if cost.frozen else 0) if "video" in cost.flops else 0
        rows.append(
            (
                name,
                spread([score.accuracy or 0.0 for score in scores]),
                spread([score.headline for score in scores]),
                f"{cost.total_parameters:,}",
                count(cost.total_flops) + (f", cached {count(cached)}" if cost.frozen else ""),
                f"{milliseconds(found[0]):.2f}",
                f"{mean(u.seconds for u in usage):.0f}",
                memory(mean(u.peak_memory_bytes for u in usage)),
                memory(max(0.0, mean(u.peak_memory_bytes for u in usage) - alone)),
            )
        )
    head = (
        "variant",
        "accuracy",
        "bits/label",
        "parameters",
        "FLOPs a clip",
        "CPU ms a clip",
        "seconds a run",
        "memory",
    )
    return table((*head, "above EEG alone"), rows)


def alignment(store: Store) -> str:
    rows = []
    for name in RIVALS:
        found = runs(store, name)
        rows.append((name, spread([leak(r) for r in found], 2), spread([moved_by_others(r) for r in found], 4)))
    return table(("variant", "leak of other intervals' frames into the latents", "answers that they change"), rows)


def cost(store: Store) -> str:
    rows = []
    for name in RIVALS:
        run = runs(store, name)[0]
        config, spec = run.configuration.model, run.data.spec
        flops = video_flops(config, spec)
        rows.append((name, count(flops), f"{video_flops(config, spec, LONGER) / flops:.2f}"))
    small = table(("variant", "FLOPs of the video side", f"x with {LONGER} times the intervals"), rows)
    clip = FusionSpec(("a",), 5, 16, (3, 224, 224), 30, 1000, 2, (0.5, 0.5), "interval")
    full = []
    for title, video in FULL_SIZE.items():
        per_frame = video["type"] == "timm"
        mixer = {"type": "gru" if per_frame else "none"}
        config = FusionConfig.model_validate({"embedding_dim": 256, "video": video, "mixer": mixer})
        flops = video_flops(config, clip)
        cached = count(video_flops(config, clip, cached=True)) if per_frame else "-"
        full.append((title, count(flops), cached, f"{video_flops(config, clip, LONGER) / flops:.2f}"))
    head = ("encoder, on a clip of (5, 16, 3, 224, 224)", "FLOPs of the video side", "with cached features")
    return small + "\n" + table((*head, f"x with {LONGER} times the intervals"), full)


def modularity(store: Store) -> str:
    rows = []
    for name, mixer in MIXERS.items():
        found = runs(store, name)
        weight = found[0].record.cost
        assert weight is not None
        share = weight.parts["mixer"] / weight.total_parameters
        rows.append((mixer, accuracy_of(found), f"{weight.parts['mixer']:,}", f"{100 * share:.0f} %"))
    exchanged = table(("mixer exchanged, all else kept", "accuracy", "its parameters", "of the model"), rows)
    frozen = runs(store, "frozen")
    first, later = frozen[0], frozen[1:]
    assert first.record.usage is not None
    seconds = [r.record.usage.seconds for r in later if r.record.usage]
    for _ in range(2):  # the first fills the cache where it is empty; what the second encodes is told
        anew: Any = build_model(first.configuration, first.data, 99, CPU).eval()
        with torch.no_grad():
            for batch in batches(first.data):
                anew(batch)
    reused = (
        f"An encoder that is frozen at random weights and cached: accuracy {accuracy_of(frozen)}; "
        f"{first.record.usage.seconds:.0f} s for the first seed, {mean(seconds):.0f} s for each later one, whose "
        "encoder has nothing to do: a model built anew encoded "
        f"{anew.media.video.images_encoded} of the test split's frames.\n"
    )
    return exchanged + "\n" + reused


def accuracy_of(found: list[Trained]) -> str:
    return spread([r.record.test.accuracy or 0.0 for r in found if r.record.test])


def page(store: Store) -> str:
    names = [entry.name for entry in store.manifest().variants if entry.name != "eeg_alone"]
    last, first = (runs(store, name)[0].record for name in (names[0], "baseline"))
    threads = first.environment.get("device", {}).get("threads", "?")
    assert last.test is not None
    ceiling = f"A perfect observer is right in {last.test.attainable_accuracy:.3f} of the labels of this test split."
    return f"""# ViT per frame and a mixer, or ViViT? The notes' claims, with numbers

Written by `python results/vit_or_vivit.py` from the runs of `recipes/vit_vs_vivit.yaml`; the ranked table with its
intervals and verdicts is [table.md](table.md). Means over seeds with the seeds' range. {ceiling}

## Side by side

Same clips in the same order, same steps (`longer`: twice as many), batch, learning rate and selection. CPU ms: forward
and backward of a clip, CPU time of one thread. Seconds a run are wall time ({threads} thread) on a shared machine, so
they tell little; memory is the process's peak, data and libraries included.

{side_by_side(store, names)}
## "Easier to align with the EEG"

The isolation matrix of the trained models, largest entry off the diagonal (1 = as strong as an interval's strongest),
and how many answers about an interval change when all *other* intervals show another trial's frames. `mask: own` is in
force for all three: it hides other intervals' latents, not their frames.

{alignment(store)}
## "Cheaper: linear, not quadratic, in the clip"

Linear growth would be {LONGER}.00.

{cost(store)}
## "Modular"

{modularity(store)}"""


if __name__ == "__main__":
    torch.set_num_threads(1)
    opened = Store(Path(sys.argv[1]) if len(sys.argv) > 1 else STUDY)
    (opened.root / "claims.md").write_text(page(opened), encoding="utf-8")
