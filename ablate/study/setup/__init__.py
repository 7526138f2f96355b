"""Takes a recipe and a request, gives what a study consists of: variants, seeds, folds, facts of the data, manifest."""
