"""Takes a `StudyAnalysis`, gives something to look at: table, export, figures, page. Loads no torch."""

from ablate.report.export import Format, render
from ablate.report.table import RankedTable, live_table

__all__ = ["Format", "RankedTable", "live_table", "render"]
