"""Takes a batch and a model, gives the model one step of training later: learning rate, update, average of weights."""
