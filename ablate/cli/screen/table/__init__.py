"""Takes what a study, its models, its data or its price amount to, prints it as tables before anything is trained."""
