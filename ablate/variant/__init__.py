"""Takes a Recipe, gives its ordered variants, each validated again, and what each of them changes."""

from ablate.variant.diff import also_changed, changes, differences
from ablate.variant.expand import lay_out, survey
from ablate.variant.patch import apply
from ablate.variant.variant import Layout, Variant
