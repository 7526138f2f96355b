"""Takes a study's manifest and run records, gives a `StudyAnalysis` (`study.analyse`), whose parts are in `outcome`.
Loads no torch."""
