"""Every run's score as a long table: what `ablate judge` reads, so that anyone can judge a study by another rule."""

import csv
import io

from ablate.analysis.outcome import StudyAnalysis

HEADER = ("variant", "role", "seed", "metric", "score", "state")


def scores_text(analysis: StudyAnalysis) -> str:
    """CSV, one run a row in the order of the table; a run that gave no score has its state instead."""
    lost = {(failure.variant, failure.seed): failure.state for failure in analysis.failures}
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEADER)
    for row in analysis.rows:
        known = dict(row.by_seed)
        for seed in sorted({*known, *(seed for name, seed in lost if name == row.name)}):
            state = "done" if seed in known else lost[row.name, seed]
            writer.writerow(
                (row.name, row.role, seed, analysis.metric, repr(known[seed]) if seed in known else "", state)
            )
    return out.getvalue()
