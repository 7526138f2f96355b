"""What columns are called in the field, and which scores are better when they are lower.

W&B's export of a runs table has `Name`, `State` and one column for every value of the configuration and the summary;
MLflow's `search_runs` has `run_id`, `status`, `params.x`, `metrics.y` and `tags.z`; DVC's `exp show --csv` has
`Experiment`, `rev`, `typ`; Sacred's tables of runs have `_id`, `status`, `config.x`, `result`.
"""

import re

PREFIX = re.compile(r"^(params|metrics|tags|config|summary|hparams)[./]", re.IGNORECASE)

VARIANT = ("variant", "model", "method", "algorithm", "algo", "arm", "condition", "patch", "group", "configuration")
SEED = ("seed", "random_seed", "rng_seed", "random_state", "replicate", "repeat")
SESSION = ("session", "recording", "subject", "dataset")
UNIT = ("unit", "neuron", "cell", "trial")
STATE = ("state", "status")
ROLE = ("role",)
METRIC = ("metric",)
COST = ("cost", "flops", "seconds", "runtime", "duration")
SCORE = ("score",)

BOOKKEEPING = frozenset(
    [
        "run_id",
        "experiment_id",
        "start_time",
        "end_time",
        "_id",
        "id",
        "rev",
        "parent",
        "created",
        "updated",
        "step",
        "_step",
        "epoch",
        "_runtime",
        "_timestamp",
        "sweep",
        "user",
        "hostname",
        "notes",
        "tags",
        "typ",
        "executor",
        "queue",
        "name",
        "experiment",
        "artifact_uri",
        "commit",
        "pid",
        "gpu_count",
    ]
)
"""Columns of the exports that are never a score."""

LOWER = frozenset(
    [
        "loss",
        "error",
        "err",
        "rmse",
        "mse",
        "mae",
        "nll",
        "perplexity",
        "ppl",
        "wer",
        "cer",
        "fid",
        "deviance",
        "regret",
        "bpb",
        "bpc",
        "mape",
        "rmsle",
        "brier",
        "distance",
    ]
)
HIGHER = frozenset(
    [
        "score",
        "accuracy",
        "acc",
        "auc",
        "auroc",
        "auprc",
        "f1",
        "precision",
        "recall",
        "r2",
        "reward",
        "return",
        "correlation",
        "corr",
        "pearson",
        "spearman",
        "bleu",
        "rouge",
        "dice",
        "iou",
        "miou",
        "map",
        "psnr",
        "ssim",
        "likelihood",
        "ll",
        "information",
        "fev",
        "bits_per_spike",
        "bits_per_label",
        "spike",
        "label",
        "winrate",
        "success",
        "elbo",
        "kappa",
        "mcc",
    ]
)

FINISHED = frozenset(["done", "finished", "success", "completed", "complete", "ok"])
WAITING = frozenset(["running", "queued", "scheduled", "pending", "interrupted", "preempted", "starting"])
"""Of a run that is under way nothing is known yet; every other state is a run that broke."""


def plain(name: str) -> str:
    """`metrics.val_acc` -> `val_acc`, `Random Seed` -> `random_seed`: what a name is compared by."""
    return re.sub(r"[\s-]+", "_", PREFIX.sub("", name.strip())).casefold()


def lower_is_better(score: str) -> bool | None:
    """What a score's name says: True for `val_loss`, False for `accuracy`, None for neither or both."""
    words = re.split(r"[^a-z0-9]+", plain(score))
    whole = re.sub(r"[^a-z0-9]+", "_", plain(score))
    lower = any(word in LOWER for word in words) or "cross_entropy" in whole or "bits_per_byte" in whole
    higher = any(word in HIGHER for word in words)
    if "log" in words and "likelihood" in words:
        lower = "negative" in words or "neg" in words
        higher = not lower
    return None if lower == higher else lower
