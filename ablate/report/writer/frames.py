"""A study's folder in, pandas frames out: its runs, its ranked rows, the score of every unit, the learning curves."""

from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from ablate.analysis.outcome import StudyAnalysis
from ablate.analysis.row.files import files_of
from ablate.analysis.study import analyse
from ablate.disk.read import Json
from ablate.report.writer.table_data import data_frame
from ablate.result import RunRecord, Store
from ablate.result.measure.units import unit_tables

if TYPE_CHECKING:
    from pandas import DataFrame

RECORD = ("variant", "role", "seed", "state", "score", "validation", "seconds", "steps", "parameters", "flops")
ENTRY = ("value", "gain", "weight")


class Results:
    """What a study has measured so far. Frames are made when they are first asked for; a row that is not known is NaN.

    Raises AblateError where the folder holds no study or its manifest is damaged.
    """

    def __init__(self, folder: Path | str):
        self.store = Store(folder)
        self.manifest = self.store.manifest()
        self._records = self.store.scan()

    def __repr__(self) -> str:
        states = [record.state for record in self._records.records.values()]
        return f"Results({self.manifest.name!r}, {states.count('done')} runs done of {len(self.manifest.run_keys)})"

    @cached_property
    def analysis(self) -> StudyAnalysis:
        """Gains, intervals, verdicts and guards, as the report has them."""
        records = tuple(self._records.records.values())
        return analyse(self.manifest, records, **files_of(self.store))

    @cached_property
    def ranking(self) -> "DataFrame":
        """A row a variant, in the order of the report, with the columns of `--format csv`. Gains are in the metric's
        unit; `gain_relative...` are shares of the baseline's score."""
        return data_frame(self.analysis)

    @cached_property
    def records(self) -> "DataFrame":
        """A row a run: variant, role, seed, state, score (test), validation, seconds, steps, parameters, flops, then
        the score of each session, its key and, where it has none, the reason."""
        import pandas as pd

        return pd.DataFrame([self._record_row(record) for record in self._named()])

    @cached_property
    def units(self) -> "DataFrame":
        """A row for each run, session and unit of the test split: value in the metric, gain in nats over the null
        and weight in spikes (for labels: in labels) where they were kept, excluded."""
        import pandas as pd

        rows = []
        for record in self._named():
            for table in unit_tables(self.store.units(record.key)):
                count = len(table["entry"])
                columns = {name: table.get(name, [None] * count) for name in ENTRY}  # committed runs keep no `gain`
                for place, (entry, value) in enumerate(zip(table["entry"], table["value"], strict=True)):
                    head = {"variant": record.variant, "seed": record.seed, "session": table["name"], "unit": entry}
                    held = {name: column[place] for name, column in columns.items()}
                    rows.append({**head, **held, "excluded": value is None})
        return pd.DataFrame(rows, columns=["variant", "seed", "session", "unit", *ENTRY, "excluded"])

    @cached_property
    def curves(self) -> "DataFrame":
        """A row for each step that a run's learning curve keeps: variant, seed, step, then what was logged there."""
        import pandas as pd

        rows = [
            {"variant": record.variant, "seed": record.seed, **row}
            for record in self._named()
            for row in self.store.history(record.key)
        ]
        return pd.DataFrame(rows)

    def _named(self) -> list[RunRecord]:
        """The study's own runs, in the order of its variants and seeds."""
        order = {key: place for place, key in enumerate(self._keys())}
        found = [record for key, record in self._records.records.items() if key in order]
        return sorted(found, key=lambda record: order[record.key])

    def _keys(self) -> list[str]:
        return [key for entry in self.manifest.variants for key in entry.run_keys]

    def _record_row(self, record: RunRecord) -> Json:
        roles = {entry.name: entry.role for entry in self.manifest.variants}
        test, cost, usage = record.test, record.cost, record.usage
        values = (
            record.variant,
            roles.get(record.variant, "variant"),
            record.seed,
            record.state,
            None if test is None else test.headline,
            None if record.validation is None else record.validation.headline,
            None if usage is None else usage.seconds,
            None if usage is None else usage.steps,
            None if cost is None else cost.total_parameters,
            None if cost is None else cost.total_flops,
        )
        sessions = {} if test is None else {f"session {one.name}": one.mean for one in test.sessions}
        return {**dict(zip(RECORD, values, strict=True)), **sessions, "key": record.key, "reason": record.reason}
