"""Takes a table of scores that any program measured, gives the same `StudyAnalysis` as a study of ours. No torch."""

from ablate.analysis.judge.choice import Choice
from ablate.analysis.judge.judged import judge, judge_file
