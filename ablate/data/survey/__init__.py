"""Takes opened recordings, gives what a scientist checks first: rates, filters, alignment, splits. Loads no model."""

from ablate.data.survey.survey import survey
