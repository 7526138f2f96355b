"""Takes a `StudyAnalysis`, gives the tables of a report beside the ranking, each as a block."""
