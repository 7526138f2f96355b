"""Takes the scores of a study that is looked at again and again, gives which rows are settled and the next seeds."""
