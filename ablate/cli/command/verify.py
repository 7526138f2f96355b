"""`ablate verify`: are the stored files the ones that were written, and does a run come out the same again?"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ablate.cli.console import out, say
from ablate.cli.options import Device, MovedData, StudyPath
from ablate.errors import AblateError

if TYPE_CHECKING:
    from ablate.result import Store

FAULTY = 1
MOST_FAULTS = 5


def verify(
    study: StudyPath,
    device: Device = "auto",
    hashes_only: Annotated[bool, typer.Option("--hashes-only", help="Check the stored hashes, train nothing.")] = False,
    data: MovedData = None,
) -> None:
    """Check the files of STUDY, and train one run of it again. Stored hashes, and the losses and scores of that run."""
    raise typer.Exit(verify_study(study, device=device, hashes_only=hashes_only, data=data or ()))


def verify_study(path: Path, *, device: str, hashes_only: bool, data: Sequence[Path] = ()) -> int:
    """0 when everything is as it was written and trained, 1 when something is not."""
    from ablate.cli.studies import studies_under

    verdicts = []
    for store in studies_under(path):
        verdicts.append(verify_hashes(store))
        if not hashes_only:
            verdicts.append(verify_by_training(store, device, data))
    return 0 if all(verdicts) else FAULTY


def verify_hashes(store: "Store") -> bool:
    """Every file of every run against the hash that was written with it."""
    store.manifest()
    damaged = {fault.key: fault.reason for fault in (*store.scan().damaged, *store.verify_hashes())}
    for key, reason in damaged.items():
        tell(f"{store.root}: run {key}: {reason}")
    runs, packed = len(store.keys_in_place()), len(store.packed.runs)
    sound = sum(key not in damaged for key in store.keys_in_place())
    if runs or not packed:
        tell(f"{store.root}: the files of {sound} of {runs} runs are the ones that were written")
    else:
        tell(f"{store.root}: {packed} committed runs, which keep no files beside their records")
    if damaged:
        say("a damaged record counts as not yet run: `ablate run` trains it again; so it does what was removed")
    return not damaged


def verify_by_training(store: "Store", device: str, data: Sequence[Path] = ()) -> bool:
    """One finished run trained again."""
    from ablate.study.verify import shortest_done, train_again

    record = shortest_done(store)
    if record is None:
        tell(f"{store.root}: no run is done, so none was trained again")
        return True
    label = f"{record.variant} seed {record.seed}"
    say(f"training {label} again ...")
    try:
        found = train_again(store, record, device=device, data=data)
    except AblateError as error:
        first = error.problems[0]
        tell(f"{store.root}: {label}: {first.what}{f' ({first.hint})' if first.hint else ''}")
        return False
    for fault in found.faults[:MOST_FAULTS]:
        tell(f"{store.root}: {label}: {fault}")
    again = f"{store.root}: {label}, trained again on {found.device}"
    if found.agrees:
        how = "to the last digit" if found.largest == 0 else f"within {found.largest:.1e} (relative)"
        tell(f"{again}: {found.values} losses and scores agree {how}")
    else:
        tell(f"{again}: {len(found.faults)} of {found.values} values differ")
        say("other packages, processors or devices may do that; `environment` in record.json names them")
    return found.agrees


def tell(text: str) -> None:
    """One line of the result, on stdout."""
    out().print(text, markup=False, soft_wrap=True)
