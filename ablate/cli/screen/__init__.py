"""Takes what is known of a study, a model or data, gives what a person sees of it on a terminal. Trains nothing."""
