"""Takes a study's manifest and run records, gives a `StudyAnalysis`, whose parts are in `outcome`. Loads no torch."""

from ablate.analysis.apart.choice import chosen_rows, fresh_seeds, lacking, rows_to_retune
from ablate.analysis.apart.retuning import best_setting, by_key, complete, study_seeds
from ablate.analysis.cells import Cells, gather
from ablate.analysis.row.files import files_of, quietly
from ablate.analysis.statistics.noise import smallest_detectable_gain, unpaired_spread
from ablate.analysis.stopping.settle import ahead_of, settle
from ablate.analysis.study import analyse
