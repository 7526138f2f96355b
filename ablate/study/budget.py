"""What a look would bring a study to, held against its budget: runs, or hours that a person waits.

    hours = sum of the finished runs' seconds / workers + max(sum of the look's seconds / workers, its longest run)

A run that is to come is taken to last as long as the mean of its variant's, or of all where it has none.
"""

from collections.abc import Iterable, Sequence

from ablate.request import Allowance
from ablate.result import RunRecord, StudyManifest


def covered(
    manifest: StudyManifest, records: Iterable[RunRecord], look: Sequence[str], allowance: Allowance, workers: int
) -> bool:
    """Whether a look is within the budget. look: the variant of each of its runs. workers: runs at a time."""
    keys = {key for entry in manifest.variants for key in entry.run_keys}
    done = [record for record in records if record.key in keys and record.state != "interrupted"]
    spent = [record.usage.seconds for record in done if record.usage]
    usual = sum(spent) / len(spent) if spent else 0.0
    ahead = []
    for variant in look:
        own = [record.usage.seconds for record in done if record.variant == variant and record.usage]
        ahead.append(sum(own) / len(own) if own else usual)
    wait = sum(spent) / workers + max(sum(ahead) / workers, max(ahead, default=0.0))
    return allowance.covers(len(done) + len(look), wait)
