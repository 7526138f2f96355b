"""What a trial is a case of: its class, or how high it is rated. Splits hold every kind in proportion."""

import numpy as np

from ablate.data.trials.layout.table import TrialTable

THIRDS = (1 / 3, 2 / 3)


def kinds(table: TrialTable) -> dict[str, str]:
    """By trial. Where numbers are learned, the manifest's label if it has one beside them, else the third of all trials
    in which the first number (the mean over its intervals) lies."""
    labels = {row.trial_id: row.label for row in table.rows}
    if not table.targets or ("label" not in table.targets and any(labels.values())):
        return labels
    first = np.array([_mean(tuple(values[0] for values in row.values)) for row in table.rows])
    known = first[np.isfinite(first)]
    limits = np.quantile(known, THIRDS) if len(known) else np.zeros(2)
    return {row.trial_id: str(np.searchsorted(limits, value)) for row, value in zip(table.rows, first, strict=True)}


def _mean(values: tuple[float, ...]) -> float:
    known = [value for value in values if np.isfinite(value)]
    return float(np.mean(known)) if known else float("nan")
