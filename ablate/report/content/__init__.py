"""Takes a `StudyAnalysis`, gives what a report says of it, once, as data: blocks in the order of reading."""

from ablate.report.content.block import Block, Code, Content, Facts, Lines, Picture, Pictures, Ranking, Table
from ablate.report.content.comparison import compose_comparison
from ablate.report.content.compose import compose, compose_units
from ablate.report.content.overview import overview
