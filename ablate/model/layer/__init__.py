"""Layers that two parts or more are made of: takes tensors, gives tensors; knows no session, no unit, no loss."""
