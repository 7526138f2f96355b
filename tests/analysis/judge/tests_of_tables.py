"""One small study in every layout that is read: long, wide, and as the trackers export it."""

from pathlib import Path

SCORES = {
    "baseline": (0.500, 0.510, 0.505),
    "p1": (0.620, 0.631, 0.624),
    "p2": (0.504, 0.503, 0.512),
}


def write(folder: Path, text: str, name: str = "t.csv") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def _runs():
    return [(name, seed, value) for name, values in SCORES.items() for seed, value in enumerate(values)]


LONG = "variant,seed,score\n" + "".join(f"{name},{seed},{value}\n" for name, seed, value in _runs())


def wide_by_seed():
    lines = [f"{name},{','.join(map(str, values))}" for name, values in SCORES.items()]
    return "\n".join(["variant,seed0,seed1,seed2", *lines]), {}


def wide_by_variant():
    lines = [f"{seed},{','.join(map(str, values))}" for seed, values in enumerate(zip(*SCORES.values(), strict=True))]
    return "\n".join([f"seed,{','.join(SCORES)}", *lines]), {}


def mlflow():
    """As `mlflow.search_runs().to_csv(index=False)` writes it."""
    head = "run_id,experiment_id,status,artifact_uri,start_time,end_time,"
    head += "metrics.val_acc,params.model,params.seed,params.lr"
    rows = [
        f"f{i}0a,1,FINISHED,mlruns/1/f{i}0a,2026-01-02 10:00:0{i}+00:00,2026-01-02 11:00:00+00:00,"
        f"{value},{name},{seed},1e-3"
        for i, (name, seed, value) in enumerate(_runs())
    ]
    return "\n".join([head, *rows]), {}


def wandb():
    """As the runs table's CSV export writes it."""
    head = '"Name","State","Notes","User","Tags","Created","Runtime","Sweep","lr","model","seed","epoch","val_acc"'
    rows = [
        f'"brisk-sun-{i}","finished","-","me","","2026-01-02T10:00:00.000Z","812","","0.001","{name}","{seed}","9","{value}"'
        for i, (name, seed, value) in enumerate(_runs())
    ]
    return "\n".join([head, *rows]), {"score": "val_acc"}


def sacred():
    head = "_id,experiment.name,status,config.seed,config.model,result"
    rows = [f"{i},study,COMPLETED,{seed},{name},{value}" for i, (name, seed, value) in enumerate(_runs())]
    return "\n".join([head, *rows]), {}
