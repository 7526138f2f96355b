"""Takes a YAML file, gives a Recipe: the baseline's configuration, the patches, and the variants asked for; or every
problem at once."""

from ablate.recipe.load import data_type, load_recipe, read_recipe
from ablate.recipe.schema import Configuration, Patch, Recipe, Selection
