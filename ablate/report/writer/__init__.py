"""Takes the content of a report, gives it in one format. A writer decides how a thing looks, never what is said."""
