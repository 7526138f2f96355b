"""`ablate clean`: lists what may go from a study's folder, and removes it only when told to."""

from pathlib import Path

from ablate.cli.console import out, say
from ablate.cli.report import studies_under
from ablate.result.clean import garbage, remove


def clean_study(path: Path, *, yes: bool, weights: bool) -> int:
    """Dry by default. What a live process holds is never listed."""
    for store in studies_under(path):
        listed = garbage(store, weights=weights)
        if not listed:
            say(f"{store.root}: nothing to remove")
            continue
        for item in listed:
            out().print(
                f"{item.bytes / 1e6:10.2f} MB  {store.root / item.path}  ({item.reason})", markup=False, soft_wrap=True
            )
        total = sum(item.bytes for item in listed) / 1e6
        if yes:
            remove(store, listed)
            say(f"{store.root}: removed {len(listed)} items, {total:.2f} MB")
        else:
            say(f"{store.root}: {len(listed)} items, {total:.2f} MB; nothing was removed, add --yes to remove them")
    return 0
