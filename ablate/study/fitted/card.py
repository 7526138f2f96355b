"""The card of an exported model: what it is, how well it does, on what, how to use it, and where it comes from."""

from collections.abc import Iterator

from ablate.data.encoding.batches import EncodingDataset
from ablate.data.encoding.config import EncodingDataConfig
from ablate.metric import metric_named
from ablate.result import RunRecord, Score
from ablate.result.record import SPLITS
from ablate.study.fitted.facts import ModelFacts
from ablate.study.fitted.opened import OpenedRun

SOURCE_WORDS = ("source", "license", "species", "area", "note")
"""Of recording.yaml, what a reader of the card wants to know."""


def card_text(run: OpenedRun, facts: ModelFacts, question: str) -> str:
    """Markdown."""
    blocks = [
        f"# {facts.variant} of {facts.study}, seed {facts.seed}",
        f"A model that predicts spike counts, trained by `ablate` for the question: {question}" if question else "",
        _scores(run.record),
        _data(run, facts),
        _use(facts, run),
        _provenance(run.record),
    ]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _scores(record: RunRecord) -> str:
    lines = ["## Scores", ""]
    if record.rehearsal:
        lines += ["From a rehearsal: few steps and little data. These numbers are not results.", ""]
    lines += ["| session | split | score | of | left out |", "|---|---|---|---|---|"]
    for split in SPLITS:
        if (score := record.score(split)) is not None:
            lines += _score_rows(split, score)
    if isinstance(record.test, Score):
        metric = metric_named(record.test.metric)
        lines += ["", f"{metric.label}: {metric.formula}", "", metric.meaning]
        lines += ["", "Validation chose the weights that were kept; test was only scored. Every unit: `units.json`."]
    return "\n".join(lines)


def _score_rows(split: str, score: Score) -> Iterator[str]:
    metric = metric_named(score.metric)
    yield f"| all | {split} | {score.headline:.4f} {metric.label} | {len(score.sessions)} sessions | |"
    for one in score.sessions:
        mean = f"{one.mean:.4f} {metric.label}" if one.entries else "none"
        yield f"| {one.name} | {split} | {mean} | {one.entries} {metric.noun}s | {one.excluded} |"


def _data(run: OpenedRun, facts: ModelFacts) -> str:
    lines = [
        "## Data",
        "",
        "| session | stimulus (h, w) | bins a second | units | behaviour |",
        "|---|---|---|---|---|",
    ]
    for one in facts.sessions:
        names = ", ".join(one.behavior_names) or (str(one.behaviors) if one.behaviors else "none")
        lines.append(f"| {one.name} | {one.height} x {one.width} | {one.bin_rate_hz:g} | {one.units} | {names} |")
    if isinstance(run.dataset, EncodingDataset):
        for recording in run.dataset.recordings:
            told = {word: recording.notes[word] for word in SOURCE_WORDS if recording.notes.get(word)}
            lines += [""] * bool(told) + [f"{recording.name}, {word}: {text}" for word, text in told.items()]
    return "\n".join([*lines, "", f"Fingerprint of the data: `{run.record.data_fingerprint}`"])


def _use(facts: ModelFacts, run: OpenedRun) -> str:
    one, data = facts.sessions[0], run.configuration.data
    told = data.behavior if isinstance(data, EncodingDataConfig) else "none"
    behaves = one.behaviors and told in ("causal", "same_bin", "acausal")
    past = run.model.reads_spikes
    arguments = ["stimulus", *(["behavior"] if behaves else []), *(["spikes=spikes"] if past else [])]
    session = f", session={one.name!r}" if len(facts.sessions) > 1 else ""
    values = f"values as in the recording: mean {one.stimulus_mean:.4g}, deviation {one.stimulus_std:.4g}"
    code = [
        "import ablate",
        "import numpy as np",
        "",
        "model = ablate.load('.')  # this folder",
        f"stimulus = np.load('stimulus.npy')  # (t, {one.height}, {one.width}), {values}",
        *([f"behavior = np.load('behavior.npy')  # (t, {one.behaviors}), row t measured during bin t"] * bool(behaves)),
        *(
            [f"spikes = np.load('spikes.npy')  # (t, {one.units}) counts; the {past} bins before a bin are read"]
            * bool(past)
        ),
        f"rate = model({', '.join(arguments)}{session})  # (t, {one.units}) expected spikes a bin of "
        f"{1000 / one.bin_rate_hz:.4g} ms",
    ]
    return f"""## Use

```python
{chr(10).join(code)}
```

The first {facts.window - 1} bins are NaN: a rate needs a window of {facts.window} frames. `model.filters()`,
`model.receptive_fields()` and `model.readout_positions()` give arrays. `ablate run recipe.yaml` trains the model again;
`--data PATH` names its data where they lie elsewhere."""


def _provenance(record: RunRecord) -> str:
    where = record.environment
    packages = ", ".join(f"{name} {version}" for name, version in (where.get("packages") or {}).items())
    git = where.get("git") or {}
    device = where.get("device") or {}
    facts = {
        "run": f"`{record.key}`, finished {record.finished}",
        "code": f"commit {git['commit']}{' with uncommitted changes' if git.get('dirty') else ''}" if git else "",
        "packages": packages,
        "trained on": str(device.get("name") or ""),
        "parameters": f"{record.cost.total_parameters:,}" if record.cost else "",
        "steps": f"{record.usage.steps:,}, the weights of step {record.usage.best_step:,}" if record.usage else "",
    }
    return "## Provenance\n\n" + "\n".join(f"* {name}: {text}" for name, text in facts.items() if text)
