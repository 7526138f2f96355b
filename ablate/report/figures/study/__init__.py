"""Takes a `StudyAnalysis`, gives one figure, or none where the study has nothing for it. One file a figure: `draw`."""
