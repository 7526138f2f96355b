"""Takes a `StudyAnalysis`, gives something to look at: table, export, figures, page. Loads no torch."""
